"""Functions that change each value by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from watchkeeper.promql.grid import Floats


def _sign(values: Floats) -> Floats:
    return np.where(values == 0, values, np.sign(values))


ELEMENTWISE: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": np.degrees,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": np.radians,
    "sgn": _sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def clamp(values: Floats, low: Floats, high: Floats) -> Floats:
    """Return the values between `low` and `high`; NaN if any of the three is."""
    return np.maximum(low, np.minimum(high, values))


def round_to(values: Floats, nearest: Floats) -> Floats:
    """Return the nearest multiple of `nearest`, halves upwards.

    Divides by the inverse, which loses less for 0.1 and its like (Prometheus, funcRound).
    """
    inverse = 1.0 / nearest
    rounded: Floats = np.floor(values * inverse + 0.5) / inverse
    return rounded
