"""A result as the JSON of Prometheus' HTTP API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import orjson

from watchkeeper.model import Labels, NativeHistogram
from watchkeeper.promql.grid import Bools, Floats, Ints
from watchkeeper.promql.literals import format_number
from watchkeeper.promql.native_measures import shown_buckets
from watchkeeper.promql.result import Result, ResultType
from watchkeeper.promql.values import histogram_mask

_BLOCK_VALUES = 1 << 14
"""How many values are turned into text at once."""


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
    match result.type:
        case ResultType.STRING:
            moment = format_seconds(int(result.timestamps_ms[0]))
            yield b"[" + moment + b"," + orjson.dumps(_valid(result.text)) + b"]"
        case ResultType.SCALAR:
            moment = format_seconds(int(result.timestamps_ms[0]))
            yield _pair(moment, format_values(result.values[0])[0])
        case ResultType.VECTOR:
            yield from _array(_elements(result))
        case ResultType.MATRIX:
            yield from _array(_matrix(result))


def _array(items: Iterable[bytes]) -> Iterator[bytes]:
    before = b"["
    for item in items:
        yield before + item
        before = b","
    yield b"]" if before == b"," else b"[]"


def _elements(result: Result) -> Iterator[bytes]:
    """Give the series of an instant vector."""
    moment = format_seconds(int(result.timestamps_ms[0]))
    texts = format_values(result.values[:, 0])
    for row, (labels, text) in enumerate(zip(result.labels, texts, strict=True)):
        head = b'{"metric":' + _metric(labels)
        native = None if result.histograms is None else result.histograms[row, 0]
        if native is None:
            yield head + b',"value":' + _pair(moment, text) + b"}"
        else:
            yield head + b',"histogram":[' + moment + b"," + _histogram(native) + b"]}"


def _matrix(result: Result) -> Iterator[bytes]:
    """Give the series of a matrix, their values written many series at a time."""
    times = format_times(result.timestamps_ms)
    width = len(times)
    size = max(1, _BLOCK_VALUES // max(width, 1))
    pairs: list[bytes] = [b""] * (2 * width)
    pairs[0::2] = [_opening(moment) for moment in times]
    for begin in range(0, len(result.labels), size):
        texts = format_values(result.values[begin : begin + size].ravel())
        whole: Bools = np.asarray(result.present[begin : begin + size].all(axis=1))
        for place, complete in enumerate(whole.tolist()):
            mine = texts[place * width : (place + 1) * width]
            if complete and result.histograms is None:
                pairs[1::2] = mine
                yield _series(result.labels[begin + place], b"".join(pairs), b"")
            else:
                yield _sparse(result, begin + place, times, mine)


def _sparse(result: Result, row: int, times: list[bytes], texts: list[bytes]) -> bytes:
    """Return one series of a matrix that has gaps or native histograms."""
    shown = result.present[row]
    natives = b""
    if result.histograms is not None:
        kinds = histogram_mask(result.histograms[row], shown.shape) & shown
        natives = b",".join(
            b"[" + times[at] + b"," + _histogram(result.histograms[row, at]) + b"]"
            for at in np.flatnonzero(kinds).tolist()
        )
        shown = shown & ~kinds
    floats = [_opening(times[at]) + texts[at] for at in np.flatnonzero(shown).tolist()]
    return _series(result.labels[row], b"".join(floats), natives)


def _opening(moment: bytes) -> bytes:
    """Return what stands between one value and the next."""
    return b'"],[' + moment + b',"'


def _series(labels: Labels, pairs: bytes, natives: bytes) -> bytes:
    """Return one series; each of `pairs` begins by closing the one before it."""
    head = b'{"metric":' + _metric(labels)
    if natives:
        head += b',"histograms":[' + natives + b"]"
    if pairs:
        return head + b',"values":[' + pairs[3:] + b'"]]}'
    return head + (b"}" if natives else b',"values":[]}')


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
    if not usual.all():
        texts = _split(values)
        for place in np.flatnonzero(~usual).tolist():
            texts[place] = format_number(values[place].item()).encode()
        return texts
    if (values == np.rint(values)).all() and not np.signbit(values[values == 0]).any():
        return _split(values.astype(np.int64))
    return _split(values)


def _split(values: Floats | Ints) -> list[bytes]:
    """Return each number as JSON has it, without a fraction that is zero."""
    text = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    if values.dtype.kind == "f":
        text = (text + b",").replace(b".0,", b",")[:-1]
    return text.split(b",")


def _pair(moment: bytes, text: bytes) -> bytes:
    return b"[" + moment + b',"' + text + b'"]'


def format_times(times_ms: Ints) -> list[bytes]:
    """Return milliseconds as seconds, without trailing zeros."""
    if len(times_ms) and not (times_ms % 1000).any():
        return _split(times_ms // 1000)
    return list(map(format_seconds, times_ms.tolist()))


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
