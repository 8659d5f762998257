"""Text of a template into tokens: what is printed as it stands, and what is inside {{ }}."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto


class TokenKind(Enum):
    """What a token is."""

    TEXT = auto()
    OPEN = auto()
    CLOSE = auto()
    FIELD = auto()
    VARIABLE = auto()
    WORD = auto()
    DOT = auto()
    STRING = auto()
    CHARACTER = auto()
    NUMBER = auto()
    PIPE = auto()
    DECLARE = auto()
    ASSIGN = auto()
    COMMA = auto()
    LEFT = auto()
    RIGHT = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a template. `offset` counts characters from its start; `spaced` says that
    white space stands before it, which tells `.A .B` from `.A.B`."""

    kind: TokenKind
    text: str
    offset: int
    spaced: bool = False


class LexerError(Exception):
    """Text that is no token, with its offset."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


_SPACE = re.compile(r"[ \t\r\n]*")
_TOKENS = (
    (TokenKind.STRING, re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`')),
    (TokenKind.CHARACTER, re.compile(r"'(?:\\.[^']*|[^'\\\n])'")),
    (
        TokenKind.NUMBER,
        re.compile(
            r"[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|"
            r"(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)\b"
        ),
    ),
    (TokenKind.FIELD, re.compile(r"\.[^\W\d]\w*")),
    (TokenKind.VARIABLE, re.compile(r"\$\w*")),
    (TokenKind.WORD, re.compile(r"[^\W\d]\w*")),
    (TokenKind.DOT, re.compile(r"\.")),
    (TokenKind.PIPE, re.compile(r"\|")),
    (TokenKind.DECLARE, re.compile(r":=")),
    (TokenKind.ASSIGN, re.compile(r"=")),
    (TokenKind.COMMA, re.compile(r",")),
    (TokenKind.LEFT, re.compile(r"\(")),
    (TokenKind.RIGHT, re.compile(r"\)")),
)
_WHITE = " \t\r\n"


def tokens(source: str) -> list[Token]:
    """Return the tokens of a template, an END last. Raises LexerError."""
    found: list[Token] = []
    offset = 0
    trim_next = False
    while True:
        start = source.find("{{", offset)
        stretch = source[offset:] if start < 0 else source[offset:start]
        kept = stretch.lstrip(_WHITE) if trim_next else stretch
        skipped = len(stretch) - len(kept)
        if start >= 0 and _trims_left(source, start):
            kept = kept.rstrip(_WHITE)
        if kept:
            found.append(Token(TokenKind.TEXT, kept, offset + skipped))
        if start < 0:
            found.append(Token(TokenKind.END, "", len(source)))
            return found
        offset, trim_next = _action(source, start, found)


def _trims_left(source: str, start: int) -> bool:
    return source.startswith("-", start + 2) and source[start + 3 : start + 4] in tuple(_WHITE)


def _action(source: str, start: int, found: list[Token]) -> tuple[int, bool]:
    """Read one {{ action }}; return where the text goes on and whether its space is trimmed."""
    trims = _trims_left(source, start)
    position = start + (4 if trims else 2)
    comment = _SPACE.match(source, position)
    after_space = comment.end() if comment else position
    if source.startswith("/*", after_space if trims else position):
        return _comment(source, start, after_space if trims else position)
    found.append(Token(TokenKind.OPEN, "{{", start))
    while True:
        space = _SPACE.match(source, position)
        inner = space.end() if space else position
        if inner > position and source.startswith("-}}", inner):
            found.append(Token(TokenKind.CLOSE, "-}}", inner))
            return inner + 3, True
        if source.startswith("}}", inner):
            found.append(Token(TokenKind.CLOSE, "}}", inner))
            return inner + 2, False
        token = _next(source, inner, spaced=inner > position, action=start)
        found.append(token)
        position = inner + len(token.text)


def _comment(source: str, start: int, position: int) -> tuple[int, bool]:
    end = source.find("*/", position + 2)
    if end < 0:
        raise LexerError("comment is not closed: end it with */}}", start)
    rest = source[end + 2 :]
    if rest.startswith("}}"):
        return end + 4, False
    trimmed = rest.lstrip(_WHITE)
    if trimmed.startswith("-}}") and trimmed != rest:
        return end + 2 + (len(rest) - len(trimmed)) + 3, True
    raise LexerError("a comment must fill its action: {{/* ... */}}", start)


def _next(source: str, position: int, *, spaced: bool, action: int) -> Token:
    for kind, pattern in _TOKENS:
        match = pattern.match(source, position)
        if match:
            return Token(kind, match.group(), position, spaced)
    if position >= len(source):
        raise LexerError("action is not closed: end it with }}", action)
    character = source[position]
    if character in "\"'`":
        raise LexerError(f"{character} opens a text that is not closed", position)
    raise LexerError(f"unexpected {character!r}", position)
