"""Floating-point numbers as Go writes them (strconv.FormatFloat)."""

from __future__ import annotations

import math

_EXPONENT_FROM = 6
"""The shortest form turns to an exponent from 1e6 on and below 1e-4 (strconv, ftoa.go)."""


def shortest(value: float) -> str:
    """Return the shortest text that reads back as `value` (Go's %v)."""
    special = _special(value)
    if special is not None:
        return special
    sign = "-" if math.copysign(1, value) < 0 else ""
    mantissa, _, power = repr(value).lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    significant = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(significant)
    significant = significant.rstrip("0")
    if not significant:
        return sign + "0"
    exponent = len(whole) - leading - 1 + int(power or 0)
    if exponent < -4 or exponent >= _EXPONENT_FROM:
        tail = f".{significant[1:]}" if len(significant) > 1 else ""
        return f"{sign}{significant[0]}{tail}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return sign + _positional(significant, exponent)


def formatted(value: float, verb: str, precision: int | None) -> str:
    """Return `value` by a verb of printf: e, E, f, F, g, G."""
    special = _special(value)
    if special is not None:
        return special
    if precision is None:
        if verb in "gG":
            return shortest(value) if verb == "g" else shortest(value).upper()
        precision = 6
    if verb in "gG" and precision == 0:
        precision = 1
    return f"{value:.{precision}{verb}}"


def _special(value: float) -> str | None:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return None


def _positional(significant: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + significant
    if len(significant) <= exponent + 1:
        return significant.ljust(exponent + 1, "0")
    return f"{significant[: exponent + 1]}.{significant[exponent + 1 :]}"
