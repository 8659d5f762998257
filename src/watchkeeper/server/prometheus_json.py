"""Query results in the JSON of Prometheus' HTTP API.

Numbers are text, written as Go's strconv does; times are Unix seconds with three digits where
they are not whole. Source: prometheus/prometheus, util/jsonutil and web/api/v1/json_codec.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import orjson

from watchkeeper.model import Labels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALLEST_PLAIN = 1e-6
LARGEST_PLAIN = 1e21


def number_text(value: float) -> str:
    """Return a sample value as Prometheus writes it: `1`, `0.25`, `1e+21`, `NaN`, `+Inf`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    if "e" in text and SMALLEST_PLAIN <= abs(value) < LARGEST_PLAIN:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def time_text(timestamp_ms: int) -> str:
    """Return a time in seconds: `1435781451`, `1435781451.781`."""
    seconds, rest = divmod(timestamp_ms, 1000)
    return f"{seconds}.{rest:03d}" if rest else str(seconds)


def labels_json(labels: Labels) -> bytes:
    """Return a label set as a JSON object."""
    return orjson.dumps(dict(labels))


def vector_json(elements: Iterable[tuple[Labels, int, float]]) -> bytes:
    """Return an instant vector's `result`: one value a series."""
    rows = [
        b'{"metric":%b,"value":%b}' % (labels_json(labels), point_json(timestamp_ms, value))
        for labels, timestamp_ms, value in elements
    ]
    return b"[" + b",".join(rows) + b"]"


def matrix_json(
    series: Iterable[tuple[Labels, Sequence[bytes], NDArray[np.float64]]],
) -> bytes:
    """Return a range vector's `result`. Times come rendered by `times_json`, shared by many."""
    rows = [
        b'{"metric":%b,"values":[%b]}' % (labels_json(labels), _points(times, values))
        for labels, times, values in series
    ]
    return b"[" + b",".join(rows) + b"]"


def point_json(timestamp_ms: int, value: float) -> bytes:
    """Return one `[time, "value"]`."""
    return f'[{time_text(timestamp_ms)},"{number_text(value)}"]'.encode()


def times_json(timestamps_ms: Iterable[int]) -> list[bytes]:
    """Return the beginning of a point for each time: `[1435781451,"`."""
    return [f'[{time_text(timestamp_ms)},"'.encode() for timestamp_ms in timestamps_ms]


def _points(times: Sequence[bytes], values: NDArray[np.float64]) -> bytes:
    return b",".join(
        [time + text + b'"]' for time, text in zip(times, _texts(values), strict=True)]
    )


def _texts(values: NDArray[np.float64]) -> list[bytes]:
    """Return values as text, all at once where none needs an exponent or is not a number."""
    if not len(values):
        return []
    text = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    if b"e" in text or b"n" in text:
        return [number_text(value).encode() for value in values.tolist()]
    return (text + b",").replace(b".0,", b",")[:-1].split(b",")
