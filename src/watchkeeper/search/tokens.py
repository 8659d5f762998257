"""The text of a log query, cut into terms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from watchkeeper.errors import QuerySyntaxError

_SPACE = re.compile(r"\s*")
_BARE = re.compile(r"\S+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# A letter first, so that 12:30:05 is a word; not before `//`, so that an address is one.
_FIELD = re.compile(r"([A-Za-z_@][\w.@/-]*):(?!//)")
_LEVEL = re.compile(r"(level|severity)(>=|<=|>|<|=|!=)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition as it was written; `start` and `end` are offsets into the text.

    `field` is '' for a word or phrase; `operator` is ':' or, for levels, a comparison.
    """

    start: int
    end: int
    value: str
    field: str = ""
    operator: str = ":"
    excluded: bool = False
    quoted: bool = False


def terms(text: str) -> Iterator[Term]:
    """Yield the terms of a query. Raises QuerySyntaxError."""
    position = _skip_space(text, 0)
    while position < len(text):
        start, excluded = position, text[position] == "-"
        position += excluded
        term = _term(text, start, position, excluded=excluded)
        if not term.quoted and not term.value:
            raise _nothing_after(term, text)
        yield term
        position = _skip_space(text, term.end)


def _term(text: str, start: int, position: int, *, excluded: bool) -> Term:
    field, operator = "", ":"
    if found := _LEVEL.match(text, position):
        field, operator, position = found[1].lower(), found[2], found.end()
    elif found := _FIELD.match(text, position):
        field, position = found[1], found.end()
    if text.startswith('"', position):
        quoted = _QUOTED.match(text, position)
        if quoted is None:
            raise QuerySyntaxError(
                'a quotation mark is not closed: add a " at the end, or write \\" for one '
                "that is part of the text",
                start=position,
                end=len(text),
            )
        value = _ESCAPED.sub(r"\1", quoted[1])
        return Term(start, quoted.end(), value, field, operator, excluded, quoted=True)
    bare = _BARE.match(text, position)
    if bare is None:
        return Term(start, position, "", field, operator, excluded)
    return Term(start, bare.end(), bare[0], field, operator, excluded)


def _nothing_after(term: Term, text: str) -> QuerySyntaxError:
    written = text[term.start : term.end]
    if term.field:
        advice = f'write {written}value, or "{written}" in quotes to look for it as text'
    else:
        advice = 'write -word to leave records with it out, or "-" in quotes to look for it'
    return QuerySyntaxError(
        f"nothing follows {written!r}: {advice}", start=term.start, end=term.end
    )


def _skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
