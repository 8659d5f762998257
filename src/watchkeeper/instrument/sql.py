"""What a statement is, by its text: verb, table, kind. Values in it do not survive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

MOST_TEXT = 2048

_STRING_OR_COMMENT = re.compile(
    r"(?:\b[eEbBxX])?'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"
    r"|(?P<comment>--[^\n]*|/\*.*?\*/)",
    re.DOTALL,
)
"""Whichever begins first: `--` in a string begins no comment, a quote in a comment no string."""
_NUMBER = re.compile(r"(?<![\w$.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b")
_SPACE = re.compile(r"\s+")
_VERB = re.compile(r"[a-zA-Z]+")
_MAIN_OF_WITH = re.compile(r"\)\s*(select|insert|update|delete|merge)\b", re.IGNORECASE)
_TABLE = re.compile(
    r"\b(?:from|into|update|table|copy|on)\s+(?:only\s+|if\s+(?:not\s+)?exists\s+)?"
    r"([a-zA-Z_][\w.]*|\"[^\"]+\")",
    re.IGNORECASE,
)
_KINDS = {
    "select": "select",
    "values": "select",
    "table": "select",
    "insert": "insert",
    "update": "update",
    "delete": "delete",
    "copy": "copy",
    "begin": "transaction",
    "start": "transaction",
    "commit": "transaction",
    "rollback": "transaction",
    "savepoint": "transaction",
    "release": "transaction",
    "create": "ddl",
    "alter": "ddl",
    "drop": "ddl",
    "truncate": "ddl",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A statement: `name` for its span (`INSERT jobs`), `operation` its verb, `type` its kind
    as conventions.database lists them, `text` without values."""

    name: str
    operation: str
    type: str
    text: str


@lru_cache(maxsize=2048)
def describe_query(text: str) -> Query:
    """Return what the statement `text` is."""
    clean = _STRING_OR_COMMENT.sub(lambda found: " " if found["comment"] else "?", text)
    clean = _SPACE.sub(" ", _NUMBER.sub("?", clean)).strip()
    found = _VERB.match(clean)
    verb = found[0].upper() if found else "QUERY"
    if verb == "WITH":
        main = _MAIN_OF_WITH.search(clean)
        verb = main[1].upper() if main else "SELECT"
        clean_tail = clean[main.start(1) :] if main else clean
    else:
        clean_tail = clean
    kind = _KINDS.get(verb.lower(), "other")
    table = _TABLE.search(clean_tail) if kind != "transaction" else None
    name = f"{verb} {table[1].strip(chr(34))}" if table else verb
    return Query(name, verb, kind, clean[:MOST_TEXT])
