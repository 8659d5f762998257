"""A result as the JSON of Prometheus' HTTP API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import add

import numpy as np
import orjson

from watchkeeper.model import Labels, NativeHistogram
from watchkeeper.promql.grid import Floats
from watchkeeper.promql.literals import format_number
from watchkeeper.promql.native_measures import shown_buckets
from watchkeeper.promql.result import Result, ResultType
from watchkeeper.promql.values import histogram_mask


def encode(result: Result) -> bytes:
    """Return `{"resultType": ..., "result": ...}`; values are strings, times are seconds."""
    return b"".join(encode_pieces(result))


def encode_pieces(result: Result, stats: bytes = b"") -> Iterator[bytes]:
    """Give the same piece by piece, one a series, so that it is never in memory whole.

    `stats` is JSON that goes beside the result.
    """
    yield b'{"resultType":"' + result.type.encode() + b'","result":'
    yield from _result(result)
    yield b',"stats":' + stats + b"}" if stats else b"}"


def _result(result: Result) -> Iterator[bytes]:
    times = [format_seconds(moment) for moment in result.timestamps_ms.tolist()]
    match result.type:
        case ResultType.STRING:
            yield b"[" + times[0] + b"," + orjson.dumps(_valid(result.text)) + b"]"
        case ResultType.SCALAR:
            yield _pair(times[0], float(result.values[0, 0]))
        case ResultType.VECTOR:
            yield from _array(_element(result, row, times[0]) for row in _rows(result))
        case ResultType.MATRIX:
            openings = [moment + b',"' for moment in times]
            yield from _array(_series(result, row, times, openings) for row in _rows(result))


def _array(items: Iterable[bytes]) -> Iterator[bytes]:
    before = b"["
    for item in items:
        yield before + item
        before = b","
    yield b"]" if before == b"," else b"[]"


def _rows(result: Result) -> range:
    return range(len(result.labels))


def _element(result: Result, row: int, moment: bytes) -> bytes:
    head = b'{"metric":' + _metric(result.labels[row])
    native = None if result.histograms is None else result.histograms[row, 0]
    if native is not None:
        return head + b',"histogram":[' + moment + b"," + _histogram(native) + b"]}"
    return head + b',"value":' + _pair(moment, float(result.values[row, 0])) + b"}"


def _series(result: Result, row: int, times: list[bytes], openings: list[bytes]) -> bytes:
    """Return one series; `openings` are the times with what stands before a value."""
    shown = result.present[row]
    natives = b""
    if result.histograms is not None:
        kinds = histogram_mask(result.histograms[row], shown.shape) & shown
        natives = b",".join(
            b"[" + times[column] + b"," + _histogram(result.histograms[row, column]) + b"]"
            for column in np.flatnonzero(kinds).tolist()
        )
        shown = shown & ~kinds
    values = format_values(result.values[row][shown])
    moments = openings if shown.all() else [openings[i] for i in np.flatnonzero(shown).tolist()]
    pairs = b'"],['.join(map(add, moments, values))
    head = b'{"metric":' + _metric(result.labels[row])
    if natives:
        head += b',"histograms":[' + natives + b"]"
    if values or not natives:
        head += b',"values":' + (b"[[" + pairs + b'"]]' if values else b"[]")
    return head + b"}"


def _histogram(histogram: NativeHistogram) -> bytes:
    """Return a native histogram; a bucket is (boundaries rule, low, high, count)."""
    body: dict[str, object] = {
        "count": format_number(histogram.count),
        "sum": format_number(histogram.sum),
    }
    found = [
        [bucket.rule, *map(format_number, (bucket.low, bucket.high, bucket.count))]
        for bucket in shown_buckets(histogram)
    ]
    if found:
        body["buckets"] = found
    return orjson.dumps(body)


def format_values(values: Floats) -> list[bytes]:
    """Return each value in the shortest text that reads back the same, as Prometheus writes it."""
    if len(values) == 0:
        return []
    size = np.abs(values)
    usual = (size < 1e15) & ((size >= 1e-4) | (size == 0))
    if usual.all():
        whole = (
            bool((values == np.rint(values)).all()) and not np.signbit(values[values == 0]).any()
        )
        if whole:
            return orjson.dumps(values.astype(np.int64), option=orjson.OPT_SERIALIZE_NUMPY)[
                1:-1
            ].split(b",")
        texts = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
        return [text.removesuffix(b".0") for text in texts]
    return [format_number(value).encode() for value in values.tolist()]


def _pair(moment: bytes, value: float) -> bytes:
    return b"[" + moment + b',"' + format_number(value).encode() + b'"]'


def format_seconds(milliseconds: int) -> bytes:
    """Return milliseconds as seconds, without trailing zeros."""
    sign = "-" if milliseconds < 0 else ""
    whole, rest = divmod(abs(milliseconds), 1000)
    return f"{sign}{whole}.{rest:03d}".rstrip("0").rstrip(".").encode()


def _metric(labels: Labels) -> bytes:
    try:
        return orjson.dumps(dict(labels))
    except TypeError:
        return orjson.dumps({_valid(name): _valid(value) for name, value in labels})


def _valid(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
