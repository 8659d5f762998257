"""Go's literals: quoted text, characters and numbers."""

from __future__ import annotations

import re

_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"',
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.?))", re.DOTALL
)


def unquote(literal: str) -> str:
    """Return the text that a Go string literal stands for. Raises ValueError."""
    if literal.startswith("`"):
        return literal[1:-1]
    return _ESCAPE.sub(_unescape, literal[1:-1])


def character(literal: str) -> int:
    """Return the code point of a Go character literal. Raises ValueError."""
    text = _ESCAPE.sub(_unescape, literal[1:-1])
    if len(text) != 1:
        raise ValueError(f"{literal} is not one character")
    return ord(text)


def number(literal: str) -> int | float:
    """Return the number that a Go literal stands for. Raises ValueError."""
    digits = literal.replace("_", "")
    if digits.lstrip("+-")[:2].lower() in ("0x", "0b", "0o"):
        return int(digits, 0)
    if any(mark in digits for mark in ".eE"):
        return float(digits)
    is_octal = len(digits.lstrip("+-")) > 1 and digits.lstrip("+-").startswith("0")
    return int(digits, 8 if is_octal else 10)


def _unescape(match: re.Match[str]) -> str:
    for code, base in zip(match.groups()[:4], (16, 16, 16, 8), strict=True):
        if code is not None:
            return chr(int(code, base))
    if match[5] not in _ESCAPES:
        raise ValueError(f"unknown escape \\{match[5]}")
    return _ESCAPES[match[5]]
