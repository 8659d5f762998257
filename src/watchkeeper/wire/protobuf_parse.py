"""The protobuf exposition: delimited io.prometheus.client.MetricFamily messages.

The one format that carries native histograms. What becomes a sample is as in Prometheus 3,
model/textparse/protobufparse.go. Source: client_model, metrics.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from watchkeeper.errors import DecodeError
from watchkeeper.model import (
    CounterReset,
    Exemplar,
    Labels,
    MetricMetadata,
    MetricType,
    NativeHistogram,
)
from watchkeeper.wire import protobuf
from watchkeeper.wire.family import ParsedExposition, format_bound
from watchkeeper.wire.message import Message
from watchkeeper.wire.native_histogram import EXPOSITION, read_native
from watchkeeper.wire.protobuf import LENGTH, key, read_fields, read_varint
from watchkeeper.wire.series import SeriesCache

_COUNTER, _GAUGE, _SUMMARY, _UNTYPED, _HISTOGRAM, _GAUGE_HISTOGRAM = range(6)
_TYPES = (
    MetricType.COUNTER,
    MetricType.GAUGE,
    MetricType.SUMMARY,
    MetricType.UNKNOWN,
    MetricType.HISTOGRAM,
    MetricType.HISTOGRAM,
)
_BUCKET = 3
_EXEMPLAR = 16
_HISTOGRAM_FIELDS = (_BUCKET, _EXEMPLAR, *EXPOSITION.repeated)
_INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class HistogramChoice:
    """Which form of a histogram is taken where a target gives both."""

    native: bool = True
    classic_too: bool = False


def parse_protobuf(
    body: bytes, default_timestamp_ms: int, series: SeriesCache, choice: HistogramChoice
) -> ParsedExposition:
    """Return what a protobuf body holds. Raises DecodeError."""
    reader = _Reader(default_timestamp_ms, series, choice)
    for content in _families(body):
        reader.read(Message(content, (4,)))
    series.trim(reader.received)
    found = reader.found
    found.received = reader.received
    return found


def _families(body: bytes) -> Iterator[bytes]:
    offset = 0
    while offset < len(body):
        size, offset = read_varint(body, offset)
        if size > len(body) - offset:
            raise DecodeError(
                f"the exposition ends inside a family of {size} bytes at byte {offset}"
            )
        yield body[offset : offset + size]
        offset += size


class _Metric:
    """One Metric message: the labels that all of its samples have, and their time."""

    __slots__ = ("labels", "message", "pairs", "time_ms")

    def __init__(self, content: bytes) -> None:
        self.message = Message(content, (1,))
        self.labels = self.message.repeated(1)
        self.time_ms = protobuf.signed(self.message.number(6))
        self.pairs: dict[str, str] | None = None

    def read_pairs(self, where: str) -> dict[str, str]:
        """Return the labels; read once, and only if a series of theirs is new."""
        if self.pairs is None:
            found = [_pair(content) for content in self.labels]
            self.pairs = dict(found)
            if len(self.pairs) != len(found):
                raise DecodeError(f"{where}: a label is given twice")
        return self.pairs


class _Reader:
    def __init__(
        self, default_timestamp_ms: int, series: SeriesCache, choice: HistogramChoice
    ) -> None:
        self.found = ParsedExposition()
        self.received = 0
        self._default_ms = default_timestamp_ms
        self._series = series
        self._choice = choice

    def read(self, family: Message) -> None:
        name = family.text(1)
        if not name:
            raise DecodeError("a metric family has no name")
        kind = family.number(3)
        if kind >= len(_TYPES):
            raise DecodeError(f"{name}: {kind} is no type")
        metadata = MetricMetadata(name, _TYPES[kind], family.text(2), family.text(5))
        self.found.metadata.append(metadata)
        for content in family.repeated(4):
            metric = _Metric(content)
            if kind in (_HISTOGRAM, _GAUGE_HISTOGRAM):
                self._histogram(name, metric, gauge=kind == _GAUGE_HISTOGRAM)
            elif kind == _SUMMARY:
                self._summary(name, metric)
            else:
                self._number(name, metric, kind)

    def _number(self, name: str, metric: _Metric, kind: int) -> None:
        field = {_COUNTER: 3, _GAUGE: 2, _UNTYPED: 5}[kind]
        value = Message(metric.message.content(field), ())
        start_ms = _milliseconds(value.content(3)) if kind == _COUNTER else 0
        made = self._add(name, metric, value.double(1), start_ms=start_ms)
        if kind == _COUNTER and value.has(2):
            self._exemplar(made, value.content(2))

    def _summary(self, name: str, metric: _Metric) -> None:
        summary = Message(metric.message.content(4), (3,))
        start_ms = _milliseconds(summary.content(4))
        self._add(f"{name}_count", metric, float(summary.number(1)), start_ms=start_ms)
        self._add(f"{name}_sum", metric, summary.double(2), start_ms=start_ms)
        for content in summary.repeated(3):
            quantile = Message(content, ())
            label = ("quantile", format_bound(quantile.double(1)))
            self._add(name, metric, quantile.double(2), label)

    def _histogram(self, name: str, metric: _Metric, *, gauge: bool) -> None:
        content = Message(metric.message.content(7), _HISTOGRAM_FIELDS)
        start_ms = 0 if gauge else _milliseconds(content.content(15))
        native = self._choice.native and _is_native(content)
        if native:
            reset = CounterReset.GAUGE if gauge else CounterReset.UNKNOWN
            histogram = read_native(content, EXPOSITION, reset)
            made = self._add(name, metric, histogram.sum, start_ms=start_ms, histogram=histogram)
            for exemplar in content.repeated(_EXEMPLAR) or _of_buckets(content):
                self._exemplar(made, exemplar, timed=True)
        if not native or self._choice.classic_too:
            self._classic(name, metric, content, start_ms)

    def _classic(self, name: str, metric: _Metric, content: Message, start_ms: int) -> None:
        total = content.double(4) or float(content.number(1))
        self._add(f"{name}_count", metric, total, start_ms=start_ms)
        self._add(f"{name}_sum", metric, content.double(2), start_ms=start_ms)
        bound = 0.0
        for part in content.repeated(_BUCKET):
            bucket = Message(part, ())
            bound = bucket.double(2)
            count = bucket.double(4) or float(bucket.number(1))
            label = ("le", format_bound(bound))
            made = self._add(f"{name}_bucket", metric, count, label, start_ms=start_ms)
            if bucket.has(3):
                self._exemplar(made, bucket.content(3))
        if bound != _INFINITY:
            self._add(f"{name}_bucket", metric, total, ("le", "+Inf"), start_ms=start_ms)

    def _add(
        self,
        name: str,
        metric: _Metric,
        value: float,
        label: tuple[str, str] | None = None,
        *,
        start_ms: int = 0,
        histogram: NativeHistogram | None = None,
    ) -> Labels | None:
        """Take a sample and return its label set, or None if it is dropped."""
        self.received += 1
        text = f"{name}\xff{label and label[1]}\xff{b'|'.join(metric.labels).decode('latin-1')}"
        if text in self._series.known:
            made = self._series.known[text]
        else:
            pairs = metric.read_pairs(name)
            made = self._series.learn(text, name, {**pairs, **dict([label] if label else [])})
        if made is None:
            return None
        found, row = self.found, len(self.found.labels)
        if start_ms:
            found.starts_ms[row] = start_ms
        if histogram is not None:
            found.histograms[row] = histogram
        if metric.time_ms:
            found.timed.append(row)
        found.labels.append(made)
        found.values.append(value)
        found.timestamps_ms.append(metric.time_ms or self._default_ms)
        return made

    def _exemplar(self, series: Labels | None, content: bytes, *, timed: bool = False) -> None:
        """Take an exemplar. Those of native histograms must say when they were."""
        message = Message(content, (1,))
        if series is None or (timed and not message.has(3)):
            return
        pairs = tuple(sorted(_pair(each) for each in message.repeated(1)))
        at_ms = _milliseconds(message.content(3)) if message.has(3) else self._default_ms
        self.found.exemplars.append((series, Exemplar(pairs, message.double(2), at_ms)))


def _is_native(content: Message) -> bool:
    return bool(
        content.double(EXPOSITION.zero_threshold)
        or content.number(EXPOSITION.zero_count)
        or content.repeated(EXPOSITION.negative[0])
        or content.repeated(EXPOSITION.positive[0])
    )


def _of_buckets(content: Message) -> list[bytes]:
    buckets = [Message(part, ()) for part in content.repeated(_BUCKET)]
    return [bucket.content(3) for bucket in buckets if bucket.has(3)]


def _pair(content: bytes) -> tuple[str, str]:
    parts = dict(read_fields(content))
    name = parts.get(key(1, LENGTH), b"")
    return protobuf.text(name), protobuf.text(parts.get(key(2, LENGTH), b""))


def _milliseconds(content: bytes) -> int:
    """Return a google.protobuf.Timestamp in milliseconds; 0 if there is none."""
    message = Message(content, ())
    seconds = protobuf.signed(message.number(1))
    return seconds * 1_000 + protobuf.signed(message.number(2)) // 1_000_000
