"""What binary operators do to numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from watchkeeper.promql.grid import Bools, Floats

ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}

COMPARISON: dict[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def apply(operator: str, left: Floats, right: Floats, *, as_bool: bool) -> tuple[Floats, Bools]:
    """Return the values of an operation and where it holds.

    Arithmetic holds everywhere. A comparison gives the left side where it is true, or, as a
    bool, 1 and 0 everywhere.
    """
    shape = np.broadcast_shapes(left.shape, right.shape)
    if operator in ARITHMETIC:
        return ARITHMETIC[operator](left, right), np.ones(shape, dtype=np.bool_)
    if operator not in COMPARISON:
        return np.broadcast_to(left, shape), np.zeros(shape, dtype=np.bool_)
    holds = COMPARISON[operator](left, right)
    if as_bool:
        return holds.astype(np.float64), np.ones(shape, dtype=np.bool_)
    return np.broadcast_to(left, shape), holds
