"""Text into tokens: names, numbers, durations, strings and operators, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import NoReturn

from watchkeeper.errors import QuerySyntaxError


class Kind(Enum):
    """What a token is."""

    NAME = auto()
    NUMBER = auto()
    DURATION = auto()
    STRING = auto()
    OPERATOR = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text, as it was written."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The text in lower case: keywords do not mind."""
        return self.text.lower()


_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)*")
_NUMBER = r"""
    0[xX][0-9a-fA-F_]+
  | (?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?
"""
_TOKEN = re.compile(
    rf"""
    (?P<DURATION>(?:[0-9]+(?:ms|[smhdwy]))+(?![A-Za-z0-9_.]))
  | (?P<NUMBER>{_NUMBER})
  | (?P<NAME>[A-Za-z_:][A-Za-z0-9_:]*)
  | (?P<STRING>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
  | (?P<OPERATOR>==|!=|<=|>=|</|>/|=~|!~|[-+*/%^<>=(){{}}\[\],:@])
    """,
    re.VERBOSE,
)
_BARE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def tokenize(text: str) -> list[Token]:
    """Return the tokens of `text`, ended by one END. Raises QuerySyntaxError."""
    tokens: list[Token] = []
    brackets = 0
    position = _skip_space(text, 0)
    while position < len(text):
        token = _next(text, position, inside_brackets=brackets > 0)
        tokens.append(token)
        if token.text == "[" and token.kind is Kind.OPERATOR:
            brackets += 1
        elif token.text == "]" and token.kind is Kind.OPERATOR:
            brackets = max(0, brackets - 1)
        position = _skip_space(text, token.end)
    tokens.append(Token(Kind.END, "", len(text), len(text)))
    return tokens


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _next(text: str, position: int, *, inside_brackets: bool) -> Token:
    if inside_brackets and text[position] == ":":
        return Token(Kind.OPERATOR, ":", position, position + 1)
    match = _TOKEN.match(text, position)
    if match is None or match.lastgroup is None:
        _refuse(text, position)
    kind = Kind[match.lastgroup]
    end = match.end()
    if kind is Kind.NAME and inside_brackets:
        bare = _BARE_NAME.match(text, position)
        end = bare.end() if bare else end
    if kind is Kind.NUMBER and end < len(text) and (text[end].isalnum() or text[end] == "_"):
        raise syntax_error(
            text, f"bad number or duration syntax: {text[position : end + 1]!r}", position, end + 1
        )
    return Token(kind, text[position:end], position, end)


def _refuse(text: str, position: int) -> NoReturn:
    character = text[position]
    if character in "\"'`":
        raise syntax_error(text, "this string is not closed", position, len(text))
    raise syntax_error(text, f"unexpected character {character!r}", position, position + 1)


def syntax_error(text: str, reason: str, start: int, end: int) -> QuerySyntaxError:
    """Return the error with its line and column, counted from one."""
    return QuerySyntaxError(f"{place(text, start)}: parse error: {reason}", start=start, end=end)


def place(text: str, offset: int) -> str:
    """Return `line:column` of an offset, both from one."""
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return f"{line}:{column}"
