"""Remote write 2.0: io.prometheus.write.v2.Request, whose texts stand in one table.

Source: prompb/io/prometheus/write/v2/types.proto.
"""

from __future__ import annotations

from watchkeeper.errors import DecodeError
from watchkeeper.model import METRIC_NAME, Exemplar, Labels, MetricMetadata, MetricType
from watchkeeper.wire.limits import LabelLimits
from watchkeeper.wire.message import Message
from watchkeeper.wire.protobuf import LENGTH, VARINT, key, read_fields, read_packed_varints, signed
from watchkeeper.wire.remote_write_series import (
    DecodedWrite,
    InvalidSeriesError,
    checked_labels,
    type_of,
)
from watchkeeper.wire.remote_write_v1 import read_sample

_SYMBOL = key(4, LENGTH)
_SERIES = key(5, LENGTH)
_REFERENCES = key(1, LENGTH)
_REFERENCE = key(1, VARINT)
_SAMPLE = key(2, LENGTH)
_HISTOGRAM = key(3, LENGTH)
_EXEMPLAR = key(4, LENGTH)
_METADATA = key(5, LENGTH)
_CREATED = key(6, VARINT)

_COUNTED = (MetricType.COUNTER, MetricType.HISTOGRAM, MetricType.SUMMARY)


def read(body: bytes, limits: LabelLimits) -> DecodedWrite:
    """Return what a request holds.

    Raises DecodeError, IndexError where the body ends early, UnicodeDecodeError.
    """
    fields = read_fields(body)
    symbols = [content.decode() for field_key, content in fields if field_key == _SYMBOL]
    if symbols[:1] not in ([], [""]):
        raise DecodeError("remote write: the first symbol must be the empty text")
    found = DecodedWrite()
    for field_key, message in fields:
        if field_key == _SERIES:
            _read_series(message, symbols, limits, found)
    return found


def _read_series(
    message: bytes, symbols: list[str], limits: LabelLimits, found: DecodedWrite
) -> None:
    fields = read_fields(message)
    try:
        series = checked_labels(_pairs(fields, symbols), limits)
    except InvalidSeriesError as error:
        found.reject(error)
        return
    created_ms = next((signed(each) for name, each in fields if name == _CREATED), 0)
    for field_key, content in fields:
        if field_key == _SAMPLE:
            value, time_ms, start_ms = read_sample(content)
            found.add(series, value, time_ms, start_ms or created_ms)
        elif field_key == _EXEMPLAR:
            found.exemplars.append((series, _read_exemplar(content, symbols)))
        elif field_key == _HISTOGRAM:
            found.add_histogram(series, content, created_ms)
        elif field_key == _METADATA:
            _read_metadata(content, series, symbols, found)


def _pairs(fields: list[tuple[int, bytes]], symbols: list[str]) -> list[tuple[str, str]]:
    """Return the label pairs of a message whose field 1 refers to them in twos."""
    references: list[int] = []
    for field_key, content in fields:
        if field_key == _REFERENCES:
            references += read_packed_varints(content)
        elif field_key == _REFERENCE:
            references.append(int(content))
    if len(references) % 2:
        raise DecodeError("remote write: a label has a name and no value")
    if references and max(references) >= len(symbols):
        raise DecodeError(f"remote write: symbol {max(references)} of {len(symbols)}")
    texts = [symbols[reference] for reference in references]
    return list(zip(texts[::2], texts[1::2], strict=True))


def _read_exemplar(content: bytes, symbols: list[str]) -> Exemplar:
    message = Message(content, (1,))
    pairs = tuple(sorted(_pairs(read_fields(content), symbols)))
    return Exemplar(pairs, message.double(2), signed(message.number(3)))


def _read_metadata(content: bytes, series: Labels, symbols: list[str], found: DecodedWrite) -> None:
    message = Message(content, ())
    kind = type_of(message.number(1))
    if max(message.number(3), message.number(4)) >= len(symbols):
        raise DecodeError(f"remote write: metadata beyond the {len(symbols)} symbols")
    help_text, unit = symbols[message.number(3)], symbols[message.number(4)]
    if kind is not MetricType.UNKNOWN or help_text or unit:
        family = _family(dict(series)[METRIC_NAME], kind)
        found.metadata[family] = MetricMetadata(family, kind, help_text, unit)


def _family(name: str, kind: MetricType) -> str:
    """Return the family of a series: as targets name it, without what its kind appends."""
    if kind not in _COUNTED:
        return name
    for suffix in ("_bucket", "_sum", "_count", "_total"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name
