"""The protobuf exposition, written: delimited io.prometheus.client.MetricFamily messages.

The one format that carries native histograms, and since when a counter counts without a series
for it. Source: client_model, metrics.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from watchkeeper.model import Exemplar, Labels, MetricType, NativeHistogram
from watchkeeper.wire.family import FamilySample, MetricFamily
from watchkeeper.wire.protobuf import (
    FIXED64,
    LENGTH,
    VARINT,
    delimited,
    pack_double,
    tag,
    varint,
)

_TYPES = {
    MetricType.COUNTER: 0,
    MetricType.GAUGE: 1,
    MetricType.SUMMARY: 2,
    MetricType.UNKNOWN: 3,
    MetricType.HISTOGRAM: 4,
}
_VALUE_FIELDS = {MetricType.COUNTER: 3, MetricType.GAUGE: 2, MetricType.UNKNOWN: 5}
_REMEMBERED_LABELS = 32_768
_INTO = tuple(tag(number, LENGTH) if number else b"" for number in range(17))
_DOUBLE = tuple(tag(number, FIXED64) if number else b"" for number in range(7))
_INTEGER = tuple(tag(number, VARINT) if number else b"" for number in range(15))


def encode_protobuf(families: Iterable[MetricFamily]) -> bytes:
    """Return the families, each with its length before it."""
    found = []
    for family in families:
        body = _family(family)
        found.append(varint(len(body)) + body)
    return b"".join(found)


def _family(family: MetricFamily) -> bytes:
    counter = family.type is MetricType.COUNTER
    name = f"{family.name}_total" if counter else family.name
    parts = [_text(1, name), _text(2, family.help), _INTEGER[3] + varint(_TYPES[family.type])]
    if family.type is MetricType.HISTOGRAM:
        metrics = _histograms(family)
    elif family.type is MetricType.SUMMARY:
        metrics = _summaries(family.samples)
    else:
        field = _VALUE_FIELDS[family.type]
        metrics = (_metric(sample, field, _number(sample)) for sample in family.samples)
    parts += [delimited(_INTO[4], metric) for metric in metrics]
    if family.unit:
        parts.append(_text(5, family.unit))
    return b"".join(parts)


def _metric(sample: FamilySample, field: int, value: bytes) -> bytes:
    metric = _labels(sample.labels) + delimited(_INTO[field], value)
    if sample.timestamp_ms is not None:
        metric += _INTEGER[6] + varint(sample.timestamp_ms)
    return metric


def _number(sample: FamilySample) -> bytes:
    value = _DOUBLE[1] + pack_double(sample.value)
    if sample.exemplar is not None:
        value += delimited(_INTO[2], _exemplar(sample.exemplar))
    return value + _created(3, sample.created_seconds)


def _summaries(samples: Sequence[FamilySample]) -> Iterator[bytes]:
    quantiles: list[bytes] = []
    count: FamilySample | None = None
    for sample in samples:
        if sample.suffix == "":
            *_, (_, bound) = sample.labels
            quantile = _DOUBLE[1] + pack_double(float(bound))
            quantiles.append(delimited(_INTO[3], quantile + _DOUBLE[2] + pack_double(sample.value)))
        elif sample.suffix == "_count":
            count = sample
        elif sample.suffix == "_sum" and count is not None:
            body = _INTEGER[1] + varint(int(count.value)) + _DOUBLE[2] + pack_double(sample.value)
            body += b"".join(quantiles) + _created(4, count.created_seconds)
            yield _metric(count, 4, body)
            quantiles, count = [], None


def _histograms(family: MetricFamily) -> Iterator[bytes]:
    buckets: list[bytes] = []
    exemplars: list[Exemplar] = []
    count: FamilySample | None = None
    for sample in family.samples:
        if sample.suffix == "_bucket":
            buckets.append(delimited(_INTO[3], _bucket(sample)))
            if sample.exemplar is not None:
                exemplars.append(sample.exemplar)
        elif sample.suffix == "_count":
            count = sample
        elif sample.suffix == "_sum" and count is not None:
            body = _INTEGER[1] + varint(int(count.value)) + _DOUBLE[2] + pack_double(sample.value)
            body += b"".join(buckets) + _created(15, count.created_seconds)
            native = family.native.get(count.labels)
            if native is not None:
                body += _native(native)
                body += b"".join([delimited(_INTO[16], _exemplar(each)) for each in exemplars])
            yield _metric(count, 7, body)
            buckets, exemplars, count = [], [], None


def _bucket(sample: FamilySample) -> bytes:
    *_, (_, bound) = sample.labels
    body = _INTEGER[1] + varint(int(sample.value)) + _DOUBLE[2] + pack_double(float(bound))
    if sample.exemplar is not None:
        body += delimited(_INTO[3], _exemplar(sample.exemplar))
    return body


def _native(native: NativeHistogram) -> bytes:
    parts = [
        _INTEGER[5] + _zigzag(native.schema),
        _DOUBLE[6] + pack_double(native.zero_threshold),
        _INTEGER[7] + varint(int(native.zero_count)),
    ]
    spans, deltas = _sparse(native)
    # A span of no buckets tells an empty native histogram from a classic one.
    parts += [delimited(_INTO[12], span) for span in spans or [_span(0, 0)]]
    if deltas:
        parts.append(delimited(_INTO[13], b"".join(map(_zigzag, deltas))))
    return b"".join(parts)


def _sparse(native: NativeHistogram) -> tuple[list[bytes], list[int]]:
    """Return the spans of the positive buckets, and how each count differs from the last."""
    filled = sorted(native.positive)
    spans: list[bytes] = []
    start = end = 0
    gap = 0
    for index in filled:
        if spans or start != end:
            if index == end:
                end += 1
                continue
            spans.append(_span(gap, end - start))
        gap = index - end
        start, end = index, index + 1
    if start != end:
        spans.append(_span(gap, end - start))
    counts = [0, *[int(native.positive[index]) for index in filled]]
    return spans, [after - before for before, after in pairwise(counts)]


def _span(offset: int, length: int) -> bytes:
    return _INTEGER[1] + _zigzag(offset) + _INTEGER[2] + varint(length)


def _zigzag(value: int) -> bytes:
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _exemplar(exemplar: Exemplar) -> bytes:
    body = b"".join([delimited(_INTO[1], _pair(*pair)) for pair in exemplar.labels])
    body += _DOUBLE[2] + pack_double(exemplar.value)
    return body + delimited(_INTO[3], _timestamp(exemplar.timestamp_ms * 1_000_000))


def _created(field: int, seconds: float | None) -> bytes:
    if seconds is None:
        return b""
    return delimited(_INTO[field], _timestamp(round(seconds * 1e9)))


def _timestamp(time_ns: int) -> bytes:
    """Return a google.protobuf.Timestamp."""
    seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
    return _INTEGER[1] + varint(seconds) + _INTEGER[2] + varint(nanoseconds)


@lru_cache(maxsize=_REMEMBERED_LABELS)
def _labels(labels: Labels) -> bytes:
    return b"".join([delimited(_INTO[1], _pair(*pair)) for pair in labels])


def _pair(name: str, value: str) -> bytes:
    return _text(1, name) + _text(2, value)


def _text(field: int, text: str) -> bytes:
    return delimited(_INTO[field], text.encode("utf-8", "replace"))
