"""Metric families as both exposition formats see them, before encoding and after parsing.

A family is named as OpenMetrics names it: the counter `http_requests_total` belongs to the
family `http_requests` and its sample has the suffix `_total`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from watchkeeper.model import Exemplar, Labels, MetricMetadata, MetricType, NativeHistogram

_LARGEST_WHOLE = 1e15
_INFINITY = float("inf")


class FamilySample(NamedTuple):
    """One line of a family: family name + `suffix` + `labels` + `value`.

    `suffix` is '' (gauge), `_total` (counter), `_bucket`, `_sum`, `_count`. `labels` are without
    `__name__` and written in the order given; an `le` is the text of `format_bound`.
    `exemplar` and `created_seconds` (Unix time; put it on `_total` or `_count`) are written in
    OpenMetrics only. `timestamp_ms` is usually left out: the scrape's own time counts then.
    """

    suffix: str
    labels: Labels
    value: float
    exemplar: Exemplar | None = None
    created_seconds: float | None = None
    timestamp_ms: int | None = None


@dataclass(frozen=True, slots=True)
class MetricFamily:
    """A metric with all its samples. Samples that differ only in `le` MUST stand together, with
    `le` ascending, then `_count` and `_sum`.

    `native` has native histograms by the labels of their `_count`; only protobuf carries them.
    """

    name: str
    type: MetricType
    help: str = ""
    unit: str = ""
    samples: tuple[FamilySample, ...] = ()
    native: Mapping[Labels, NativeHistogram] = field(default_factory=dict)


@dataclass(slots=True)
class ParsedExposition:
    """What a body held: three columns of equal length, and what was said beside them.

    `histograms` and `starts_ms` hold, by row, the native histograms among the samples (their
    value is the sum) and since when a counter has counted.

    `labels` include `__name__`. `timed` holds the row numbers whose timestamp the target itself
    gave; all others carry the scrape's. `received` counts the samples of the body, those that
    the caller's SeriesCache dropped included.
    """

    labels: list[Labels] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    exemplars: list[tuple[Labels, Exemplar]] = field(default_factory=list)
    metadata: list[MetricMetadata] = field(default_factory=list)
    timed: list[int] = field(default_factory=list)
    received: int = 0
    histograms: dict[int, NativeHistogram] = field(default_factory=dict)
    starts_ms: dict[int, int] = field(default_factory=dict)


def format_number(value: float) -> str:
    """Return a sample value as both formats write it: `3`, `0.25`, `+Inf`, `NaN`."""
    if -_LARGEST_WHOLE < value < _LARGEST_WHOLE:
        whole = int(value)
        return str(whole) if whole == value else repr(float(value))
    if value != value:
        return "NaN"
    if value in (_INFINITY, -_INFINITY):
        return "+Inf" if value > 0 else "-Inf"
    return repr(float(value))


def format_bound(value: float) -> str:
    """Return an `le` or `quantile` label as Prometheus 3 normalises it: `1.0`, `0.25`, `+Inf`."""
    text = format_number(value)
    return f"{text}.0" if text.lstrip("-").isdigit() else text
