"""Go's printf on the values of a template (package fmt)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from watchkeeper.templates.numbers import formatted
from watchkeeper.templates.values import text, type_name

_VERB = re.compile(r"%([+\-# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(.)?", re.DOTALL)
_MAXIMUM_WIDTH = 10_000


def printf(format_text: object, *arguments: object) -> str:
    """Return `format_text` with its verbs replaced; what does not fit shows as Go shows it."""
    rest = list(arguments)

    def verb(match: re.Match[str]) -> str:
        return _replace(match, rest)

    result = _VERB.sub(verb, text(format_text))
    if rest:
        extra = ", ".join(f"{type_name(value)}={text(value)}" for value in rest)
        result += f"%!(EXTRA {extra})"
    return result


def println(*arguments: object) -> str:
    """Return the arguments with a space between each two, and a new line."""
    return " ".join(text(argument) for argument in arguments) + "\n"


def sprint(*arguments: object) -> str:
    """Return the arguments, with a space between two where neither is text."""
    parts: list[str] = []
    for position, argument in enumerate(arguments):
        before = arguments[position - 1] if position else ""
        if position and not isinstance(argument, str) and not isinstance(before, str):
            parts.append(" ")
        parts.append(text(argument))
    return "".join(parts)


def _replace(match: re.Match[str], rest: list[object]) -> str:
    flags, letter = match[1], match[4]
    if letter == "%":
        return "%"
    if letter is None:
        return "%!(NOVERB)"
    width = _size(match[2], rest)
    precision = _size(match[3], rest) if "." in match[0] else None
    if "." in match[0] and precision is None:
        precision = 0
    if not rest:
        return f"%!{letter}(MISSING)"
    value = rest.pop(0)
    body = _body(letter, value, flags, precision)
    if body is None:
        return f"%!{letter}({type_name(value)}={text(value)})"
    return _padded(body, flags, width, number=isinstance(value, int | float))


def _size(written: str | None, rest: list[object]) -> int | None:
    if written == "*":
        taken = rest.pop(0) if rest else 0
        return min(taken, _MAXIMUM_WIDTH) if isinstance(taken, int) else None
    return min(int(written), _MAXIMUM_WIDTH) if written else None


def _body(letter: str, value: object, flags: str, precision: int | None) -> str | None:
    """Return the value as the verb writes it; None where the verb does not take its type."""
    if letter in "vs" and not isinstance(value, int | float):
        return text(value) if precision is None else text(value)[:precision]
    if letter == "T":
        return type_name(value)
    if isinstance(value, bool):
        return text(value) if letter in "tv" else None
    if isinstance(value, float) and letter in "eEfFgGv":
        return _signed(formatted(value, "g" if letter == "v" else letter, precision), flags)
    if isinstance(value, int):
        return _integer(letter, value, flags)
    if isinstance(value, str):
        return _string(letter, value, precision)
    if isinstance(value, list | tuple):
        return _sequence(letter, value, flags, precision)
    return None


def _integer(letter: str, value: int, flags: str) -> str | None:
    writers: dict[str, Callable[[int], str]] = {
        "d": str,
        "v": str,
        "x": lambda number: f"{number:#x}" if "#" in flags else f"{number:x}",
        "X": lambda number: f"{number:X}",
        "o": lambda number: f"{number:o}",
        "b": lambda number: f"{number:b}",
        "c": chr,
        "q": lambda number: f"'{chr(number)}'",
        "U": lambda number: f"U+{number:04X}",
    }
    writer = writers.get(letter)
    return None if writer is None else _signed(writer(value), flags if letter in "dv" else "")


def _string(letter: str, value: str, precision: int | None) -> str | None:
    shown = value if precision is None else value[:precision]
    if letter == "q":
        return json.dumps(shown, ensure_ascii=False)
    if letter in "xX":
        digits = shown.encode().hex()
        return digits.upper() if letter == "X" else digits
    return None


def _sequence(
    letter: str, values: Sequence[object], flags: str, precision: int | None
) -> str | None:
    bodies = [_body(letter, value, flags, precision) for value in values]
    if any(body is None for body in bodies):
        return None
    return "[" + " ".join(body for body in bodies if body is not None) + "]"


def _signed(number: str, flags: str) -> str:
    if number[:1] in "+-" or number == "NaN":
        return number
    if "+" in flags:
        return "+" + number
    return " " + number if " " in flags else number


def _padded(body: str, flags: str, width: int | None, *, number: bool) -> str:
    if width is None or len(body) >= width:
        return body
    if "-" in flags:
        return body.ljust(width)
    if "0" in flags and number and body[-1:].isalnum() and not body.endswith(("Inf", "NaN")):
        return body.zfill(width)
    return body.rjust(width)
