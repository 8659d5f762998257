"""What a query answers with."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from watchkeeper.model import Labels
from watchkeeper.promql.grid import Bools, Floats, Ints, Objects


class ResultType(StrEnum):
    """The four shapes of an answer, as Prometheus' HTTP API names them."""

    SCALAR = "scalar"
    VECTOR = "vector"
    MATRIX = "matrix"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to a query.

    `timestamps_ms` has shape (moments,), `values` and `present` (series, moments): a value
    counts only where it is present. A scalar is one series without labels; a scalar or vector
    has one moment. A string has `text` and no series. `histograms`, if there are any,
    is of the values' shape: a NativeHistogram where a sample is one, None elsewhere.
    `samples_touched` counts what was read and computed on the way.
    """

    type: ResultType
    labels: list[Labels]
    timestamps_ms: Ints
    values: Floats
    present: Bools
    text: str = ""
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = field(default=())
    histograms: Objects | None = None
    samples_touched: int = 0


def no_series(kind: ResultType, moments: Ints, text: str = "") -> Result:
    """Return an answer without series."""
    shape = (0, len(moments))
    return Result(kind, [], moments, np.zeros(shape), np.zeros(shape, dtype=np.bool_), text)
