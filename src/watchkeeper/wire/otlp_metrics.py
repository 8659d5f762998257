"""OTLP metrics, read as the samples that Prometheus would make of them.

Gauges, sums, histograms and summaries become samples; `service.name` becomes `job`,
`service.instance.id` `instance`, and the rest of a resource one `target_info`. Points of delta
temporality are kept apart: their values are increases, for the receiver to add up. Exponential
histograms become native ones.
Source: OpenTelemetry, "Prometheus and OpenMetrics Compatibility".
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from watchkeeper.model import (
    METRIC_NAME,
    STALE_BITS,
    AttributeValue,
    Exemplar,
    Labels,
    MetricMetadata,
    NativeHistogram,
    labels,
)
from watchkeeper.model import MetricType as Type
from watchkeeper.wire import otlp_exponential, protobuf
from watchkeeper.wire.family import format_bound
from watchkeeper.wire.message import Message
from watchkeeper.wire.native_histogram import InvalidHistogramError
from watchkeeper.wire.otlp_attributes import decode_attributes
from watchkeeper.wire.otlp_names import label_pairs, metric_name, unit_name
from watchkeeper.wire.protobuf import LENGTH, key, read_fields

STALE = struct.unpack("<d", STALE_BITS.to_bytes(8, "little"))[0]
"""Prometheus' stale marker, for a point that says that there is nothing to say."""

_DELTA = 1
_CUMULATIVE = 2
_NO_RECORDED_VALUE = 1
_IDENTITY = ("service.name", "service.namespace", "service.instance.id")


@dataclass(slots=True)
class DecodedMetrics:
    """Samples in three columns of equal length, and what was not taken.

    `histograms` and `starts_ms` hold, by row, the histograms among the samples (their value is
    the sum) and since when a counter has counted. `deltas` holds those samples whose values are
    increases since the one before, if there are any.
    """

    labels: list[Labels] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    exemplars: list[tuple[Labels, Exemplar]] = field(default_factory=list)
    metadata: list[MetricMetadata] = field(default_factory=list)
    histograms: dict[int, NativeHistogram] = field(default_factory=dict)
    starts_ms: dict[int, int] = field(default_factory=dict)
    rejected_points: int = 0
    rejection: str = ""
    deltas: DecodedMetrics | None = None

    def add(
        self, series: dict[str, str], name: str, time_ms: int, value: float, start_ms: int = 0
    ) -> Labels:
        """Append one sample and return its label set. A `start_ms` of 0 is none."""
        made = labels({**series, METRIC_NAME: name})
        if start_ms:
            self.starts_ms[len(self.labels)] = start_ms
        self.labels.append(made)
        self.timestamps_ms.append(time_ms)
        self.values.append(value)
        return made

    def reject(self, points: int, why: str) -> None:
        """Count points that are not taken; the last reason is told to the sender."""
        self.rejected_points += points
        self.rejection = why


def decode_metrics(body: bytes) -> DecodedMetrics:
    """Return what an ExportMetricsServiceRequest holds. Raises DecodeError."""
    found = DecodedMetrics()
    for field_key, group in read_fields(body):
        if field_key == key(1, LENGTH):
            _read_resource(group, found)
    return found


def _read_resource(group: bytes, found: DecodedMetrics) -> None:
    message = Message(group, (2,))
    resource = decode_attributes(Message(message.content(1), (1,)).repeated(1))
    identity = _identity(resource)
    before = len(found.labels)
    deltas_before = len(found.deltas.labels) if found.deltas else 0
    for scope in message.repeated(2):
        for metric in Message(scope, (2,)).repeated(2):
            _read_metric(metric, identity, found)
    info = label_pairs([item for item in resource.items() if item[0] not in _IDENTITY])
    times = found.timestamps_ms[before:]
    if found.deltas is not None:
        times += found.deltas.timestamps_ms[deltas_before:]
    if info and identity and times:
        newest = max(times)
        found.add({**info, **identity}, "target_info", newest, 1.0)


def _identity(resource: dict[str, AttributeValue]) -> dict[str, str]:
    name, namespace, instance = (str(resource.get(key, "")) for key in _IDENTITY)
    job = f"{namespace}/{name}" if namespace and name else name
    return {label: text for label, text in (("job", job), ("instance", instance)) if text}


@dataclass(frozen=True, slots=True)
class _Metric:
    """Where the points of one metric go: into `found`, or rejected, into `whole`."""

    name: str
    identity: dict[str, str]
    found: DecodedMetrics
    whole: DecodedMetrics
    counted: bool

    def start_ms(self, point: Message) -> int:
        """Return since when a running total has counted, if it is one and says so."""
        return point.time(2) // 1_000_000 if self.counted else 0

    def series(self, attributes: list[bytes]) -> dict[str, str]:
        return {**label_pairs(decode_attributes(attributes).items()), **self.identity}


def _read_metric(content: bytes, identity: dict[str, str], found: DecodedMetrics) -> None:
    message = Message(content, ())
    name, unit = message.text(1), message.text(3)
    for number, (kind, read) in _DATA.items():
        data = message.content(number)
        if not message.has(number):
            continue
        parts = Message(data, (1,))
        points = parts.repeated(1)
        counter = kind is Type.COUNTER and parts.number(3) == 1
        if kind is Type.COUNTER and not counter:
            kind = Type.GAUGE
        temporality = parts.number(2) if number in _TEMPORAL else _CUMULATIVE
        if temporality not in (_DELTA, _CUMULATIVE):
            found.reject(len(points), f"{name}: neither cumulative nor delta")
            return
        full = metric_name(name, unit, counter=counter, gauge=number == _GAUGE)
        family = full.removesuffix("_total") if counter else full
        if temporality == _DELTA and found.deltas is None:
            found.deltas = DecodedMetrics()
        target = found.deltas if temporality == _DELTA and found.deltas else found
        found.metadata.append(MetricMetadata(family, kind, message.text(2), unit_name(unit)))
        counted = temporality == _CUMULATIVE and kind in (Type.COUNTER, Type.HISTOGRAM)
        for point in points:
            read(point, _Metric(full, identity, target, found, counted))


def _read_number(content: bytes, metric: _Metric) -> None:
    point = Message(content, (5, 7))
    series = metric.series(point.repeated(7))
    value = STALE if point.number(8) & _NO_RECORDED_VALUE else _number(point)
    time_ms = point.time(3) // 1_000_000
    made = metric.found.add(series, metric.name, time_ms, value, metric.start_ms(point))
    for exemplar in point.repeated(5):
        metric.found.exemplars.append((made, _exemplar(exemplar)))


def _number(point: Message) -> float:
    content = point.fixed(6)
    return float(protobuf.sfixed64(content)) if content else point.double(4)


def _read_histogram(content: bytes, metric: _Metric) -> None:
    point = Message(content, (8, 9, 6, 7))
    series = metric.series(point.repeated(9))
    stale = bool(point.number(10) & _NO_RECORDED_VALUE)
    time_ms = point.time(3) // 1_000_000
    bounds = [*point.doubles(7), float("inf")]
    counts = [*point.fixed64s(6), *[0] * len(bounds)]
    total = point.time(4)
    found, start_ms = metric.found, metric.start_ms(point)
    exemplars = [_exemplar(exemplar) for exemplar in point.repeated(8)]
    cumulated = 0
    below = float("-inf")
    for bound, count in zip(bounds, counts, strict=False):
        cumulated += count
        # The count is authoritative: without buckets, +Inf still holds all of it.
        value = total if bound == float("inf") else cumulated
        made = found.add(
            {**series, "le": format_bound(bound)},
            f"{metric.name}_bucket",
            time_ms,
            STALE if stale else float(value),
            start_ms,
        )
        found.exemplars += [(made, item) for item in exemplars if below < item.value <= bound]
        below = bound
    if point.fixed(5):
        value_sum = STALE if stale else point.double(5)
        found.add(series, f"{metric.name}_sum", time_ms, value_sum, start_ms)
    count_value = STALE if stale else float(total)
    found.add(series, f"{metric.name}_count", time_ms, count_value, start_ms)


def _read_exponential(content: bytes, metric: _Metric) -> None:
    point = Message(content, otlp_exponential.REPEATED)
    series = metric.series(point.repeated(otlp_exponential.ATTRIBUTES))
    time_ms, start_ms = point.time(3) // 1_000_000, metric.start_ms(point)
    found = metric.found
    if point.number(otlp_exponential.FLAGS) & _NO_RECORDED_VALUE:
        found.add(series, metric.name, time_ms, STALE, start_ms)
        return
    try:
        histogram = otlp_exponential.read_exponential(point)
    except InvalidHistogramError as error:
        metric.whole.reject(1, f"{metric.name}: {error}")
        return
    found.histograms[len(found.labels)] = histogram
    made = found.add(series, metric.name, time_ms, histogram.sum, start_ms)
    exemplars = point.repeated(otlp_exponential.EXEMPLARS)
    found.exemplars += [(made, _exemplar(exemplar)) for exemplar in exemplars]


def _read_summary(content: bytes, metric: _Metric) -> None:
    point = Message(content, (6, 7))
    series = metric.series(point.repeated(7))
    stale = bool(point.number(8) & _NO_RECORDED_VALUE)
    time_ms = point.time(3) // 1_000_000
    found = metric.found
    for quantile in point.repeated(6):
        pair = Message(quantile, ())
        at = {**series, "quantile": format_bound(pair.double(1))}
        found.add(at, metric.name, time_ms, STALE if stale else pair.double(2))
    found.add(series, f"{metric.name}_sum", time_ms, STALE if stale else point.double(5))
    count = STALE if stale else float(point.time(4))
    found.add(series, f"{metric.name}_count", time_ms, count)


def _exemplar(content: bytes) -> Exemplar:
    message = Message(content, (7,))
    pairs = label_pairs(decode_attributes(message.repeated(7)).items())
    ids = {"trace_id": message.content(5).hex(), "span_id": message.content(4).hex()}
    return Exemplar(labels({**pairs, **ids}), _number_of_exemplar(message), _ms(message))


def _number_of_exemplar(message: Message) -> float:
    content = message.fixed(6)
    return float(protobuf.sfixed64(content)) if content else message.double(3)


def _ms(message: Message) -> int:
    return message.time(2) // 1_000_000


_GAUGE = 5
_DATA: dict[int, tuple[Type, Callable[[bytes, _Metric], None]]] = {
    _GAUGE: (Type.GAUGE, _read_number),
    7: (Type.COUNTER, _read_number),
    9: (Type.HISTOGRAM, _read_histogram),
    10: (Type.HISTOGRAM, _read_exponential),
    11: (Type.SUMMARY, _read_summary),
}
_TEMPORAL = (7, 9, 10)
