"""Numbers, durations and strings as PromQL writes them, both ways."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from itertools import pairwise

_UNITS_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_PART = re.compile(r"([0-9]+)(ms|[smhdwy])")
_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|[0-7]{3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
}


def parse_duration_ms(text: str) -> int:
    """Return the milliseconds of `1h30m`. Units go from large to small, each once.

    Raises ValueError.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"not a duration: {text!r}")
    parts = _PART.findall(text)
    order = list(_UNITS_MS)
    places = [order.index(unit) for _, unit in parts]
    if any(later <= earlier for earlier, later in pairwise(places)):
        raise ValueError(f"not a valid duration: {text!r} (units go from y to ms, each once)")
    total = sum(int(amount) * _UNITS_MS[unit] for amount, unit in parts)
    if total > 2**63 // 1_000_000:
        raise ValueError(f"duration out of range: {text!r}")
    return total


def format_duration_ms(milliseconds: int) -> str:
    """Return the shortest way to write a duration, years and weeks only where they are exact."""
    if milliseconds == 0:
        return "0s"
    sign, rest, text = ("-", -milliseconds, "") if milliseconds < 0 else ("", milliseconds, "")
    for unit, size in _UNITS_MS.items():
        if unit in ("y", "w", "d") and rest % size:
            continue
        amount, rest = divmod(rest, size)
        if amount:
            text += f"{amount}{unit}"
    return sign + text


def parse_number(text: str) -> float:
    """Return the value of a number: decimal, hex, octal (leading 0), Inf, NaN. ValueError."""
    lowered = text.lower()
    if lowered in ("inf", "+inf", "-inf"):
        return -math.inf if lowered[0] == "-" else math.inf
    if lowered == "nan":
        return math.nan
    if lowered.startswith("0x"):
        return float(int(lowered.replace("_", ""), 16))
    if re.fullmatch(r"0_?[0-7][0-7_]*", lowered):
        return float(int(lowered.replace("_", ""), 8))
    return float(lowered)


def format_number(value: float) -> str:
    """Return the shortest text that reads back as the same float, as Prometheus writes it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits = repr(value)
    if "e" not in digits:
        return digits.removesuffix(".0")
    mantissa, exponent = digits.split("e")
    if -7 < int(exponent) < 21:
        return format(Decimal(digits), "f")
    return f"{mantissa.removesuffix('.0')}e{exponent}"


def format_plainly(value: float) -> str:
    """Return the same without an exponent, however long, as count_values writes values."""
    if math.isfinite(value):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return format_number(value)


def format_openmetrics_number(value: float) -> str:
    """Return a float that shows it is one, as OpenMetrics wants bucket and quantile labels."""
    text = format_number(value)
    return text if any(sign in text for sign in ".eIN") else text + ".0"


def unquote(text: str) -> str:
    """Return what a quoted string holds (Go's escapes; backticks take none). ValueError."""
    quote, body = text[0], text[1:-1]
    if quote == "`":
        return body
    if "\\" not in body:
        return body
    raw = b"".join(_unescape(piece, quote) for piece in _pieces(body))
    return raw.decode("utf-8", "surrogateescape")


def _pieces(body: str) -> list[str]:
    pieces, position = [], 0
    for match in _ESCAPE.finditer(body):
        pieces += [body[position : match.start()], match.group()]
        position = match.end()
    return [*pieces, body[position:]]


def _unescape(piece: str, quote: str) -> bytes:
    if not piece.startswith("\\"):
        return piece.encode("utf-8", "surrogateescape")
    code = piece[1:]
    if code in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[code].encode()
    if code == quote:
        return quote.encode()
    if code[0] == "x" and len(code) == 3:
        return bytes([int(code[1:], 16)])
    if code[0] in "uU" and len(code) > 1:
        number = int(code[1:], 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:
            raise ValueError(f"no such character: {piece!r}")
        return chr(number).encode()
    if len(code) == 3 and code.isdigit() and int(code, 8) < 256:
        return bytes([int(code, 8)])
    raise ValueError(f"unknown escape sequence {piece!r}")


def quote(value: str) -> str:
    """Return a string in double quotes that reads back as `value`."""
    escaped = []
    for character in value:
        if character in '"\\':
            escaped.append("\\" + character)
        elif character == "\n":
            escaped.append("\\n")
        elif character == "\t":
            escaped.append("\\t")
        elif 0xDC80 <= ord(character) <= 0xDCFF:
            escaped.append(f"\\x{ord(character) - 0xDC00:02x}")
        elif ord(character) < 0x20 or ord(character) == 0x7F:
            escaped.append(f"\\x{ord(character):02x}")
        else:
            escaped.append(character)
    return '"' + "".join(escaped) + '"'
