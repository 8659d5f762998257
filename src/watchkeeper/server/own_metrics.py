"""What the backend says about itself on /metrics: declared like any service's signals."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from pathlib import Path

from watchkeeper.contract import Counter, Gauge, Histogram, Label, Metric
from watchkeeper.model import MetricType, labels
from watchkeeper.wire.family import FamilySample, MetricFamily, format_bound

PROTOCOL = Label("protocol", values=("prometheus", "jaeger", "alertmanager", "otlp", "api", "page"))
CODE = Label("code", pattern=r"[1-5]\d\d", limit=60)

REQUESTS = Counter(
    name="watchkeeper_http_requests_total",
    help="HTTP requests that the backend answered, by protocol and status code.",
    labels=(PROTOCOL, CODE),
)
REQUEST_DURATION = Histogram(
    name="watchkeeper_http_request_duration_seconds",
    help="Time from a request's arrival to the end of its answer; live tails last long.",
    labels=(PROTOCOL,),
    unit="seconds",
)

Rows = Iterable[tuple[Mapping[str, str], float]]


def family(declaration: Metric, rows: Rows) -> MetricFamily:
    """Return a counter or gauge with a value for each label set."""
    is_counter = declaration.type is MetricType.COUNTER
    suffix = "_total" if is_counter else ""
    return MetricFamily(
        declaration.name.removesuffix(suffix),
        declaration.type,
        declaration.help,
        declaration.unit,
        tuple(FamilySample(suffix, labels(pairs), float(value)) for pairs, value in rows),
    )
