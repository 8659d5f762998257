"""Edits that mend YAML and keep its layout."""

from __future__ import annotations

import json

from watchkeeper.check.document import Node
from watchkeeper.check.source import Edit


def inserted_before(mapping: Node, entry: str) -> tuple[Edit, ...]:
    """Return the edit that puts an entry before the first of a block mapping."""
    entries = mapping.items()
    if not entries or entries[0][1].key is None:
        return ()
    source, start = mapping.source, entries[0][1].key[0]
    if source.text[mapping.start] == "{":
        return (Edit(source.name, start, start, f"{entry}, "),)
    column = source.place(start, start).column - 1
    return (Edit(source.name, start, start, f"{entry}\n{' ' * column}"),)


def matchers_in_one_list(mapping: Node, name: str) -> tuple[Edit, ...]:
    """Return the edit that turns a `match` mapping into a list of matchers.

    Nothing where comments stand between the entries: they would be lost.
    """
    entries = mapping.items()
    if mapping.key is None or not entries:
        return ()
    source = mapping.source
    end = mapping.end if source.text[mapping.start] == "{" else entries[-1][1].end
    start = mapping.key[0]
    if "#" in source.text[start:end]:
        return ()
    regex = source.text[slice(*mapping.key)].endswith("_re")
    column = source.place(start, start).column - 1
    lines = [f"{name}:"]
    for label, value in entries:
        matcher = f"{label}{'=~' if regex else '='}{json.dumps(value.raw, ensure_ascii=False)}"
        quoted = matcher.replace("'", "''")
        plain = not any(sign in matcher for sign in ("#", ": ", "{"))
        lines.append(f"{' ' * (column + 2)}- " + (matcher if plain else f"'{quoted}'"))
    return (Edit(source.name, start, end, "\n".join(lines)),)
