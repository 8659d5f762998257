"""Numbers as people read them (Prometheus, template/template.go and util/humanize)."""

from __future__ import annotations

import math

from watchkeeper.errors import TemplateError
from watchkeeper.templates.moment import Moment, Span
from watchkeeper.templates.numbers import formatted

_LARGE = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_LARGE_BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_SMALL = ("m", "u", "n", "p", "f", "a", "z", "y")


def to_float(value: object) -> float:
    """Return a number, or the number that a text stands for. Raises TemplateError."""
    if isinstance(value, int | float | Span):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise TemplateError(f"{value!r} is not a number") from None
    raise TemplateError(f"can't convert {type(value).__name__} to a number")


def humanize(value: object) -> str:
    """Return a number with a metric prefix: 1234567 is 1.235M."""
    number = to_float(value)
    if _is_plain(number):
        return _four(number)
    if abs(number) >= 1:
        return _scaled(number, 1000, _LARGE)
    return _scaled_up(number)


def humanize_1024(value: object) -> str:
    """Return a number with a binary prefix: 1048576 is 1Mi."""
    number = to_float(value)
    if abs(number) <= 1 or not math.isfinite(number):
        return _four(number)
    return _scaled(number, 1024, _LARGE_BINARY)


def humanize_percentage(value: object) -> str:
    """Return a ratio as per cent: 0.1234 is 12.34%."""
    return f"{_four(to_float(value) * 100)}%"


def humanize_duration(value: object) -> str:
    """Return seconds as days, hours, minutes and seconds: 3725 is 1h 2m 5s."""
    number = to_float(value)
    if not math.isfinite(number):
        return _four(number)
    if number == 0:
        return "0s"
    if abs(number) < 1:
        return f"{_scaled_up(number)}s"
    sign, whole = "-" if number < 0 else "", int(abs(number))
    days, hours, minutes, seconds = (
        whole // 86400,
        whole // 3600 % 24,
        whole // 60 % 60,
        whole % 60,
    )
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{_four(abs(number))}s"


def humanize_timestamp(value: object) -> str:
    """Return Unix seconds as a date and time, UTC."""
    number = to_float(value)
    if not math.isfinite(number):
        return _four(number)
    return str(Moment(int(number * 1e9)))


def _is_plain(number: float) -> bool:
    return number == 0 or not math.isfinite(number)


def _four(number: float) -> str:
    return formatted(number, "g", 4)


def _scaled(number: float, step: int, prefixes: tuple[str, ...]) -> str:
    prefix = ""
    for following in prefixes:
        if abs(number) < step:
            break
        prefix = following
        number /= step
    return _four(number) + prefix


def _scaled_up(number: float) -> str:
    prefix = ""
    for following in _SMALL:
        if abs(number) >= 1:
            break
        prefix = following
        number *= 1000
    return _four(number) + prefix
