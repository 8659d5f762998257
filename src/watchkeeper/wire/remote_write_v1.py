"""Remote write 1.0: prometheus.WriteRequest.

Source: prompb/types.proto. A sender repeats its series in request after request, nearly always
with one sample each: the labels' bytes are then looked up instead of read.
"""

from __future__ import annotations

import struct

from watchkeeper.model import Exemplar, Labels, MetricMetadata
from watchkeeper.wire import protobuf
from watchkeeper.wire.limits import LabelLimits
from watchkeeper.wire.message import Message
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, key, read_fields, read_varint
from watchkeeper.wire.remote_write_series import (
    DecodedWrite,
    InvalidSeriesError,
    checked_labels,
    type_of,
)

REMEMBERED = 200_000
"""How many series are remembered, before all are forgotten and learned again."""

_SERIES = key(1, LENGTH)
_METADATA = key(3, LENGTH)
_LABEL = key(1, LENGTH)
_SAMPLE = key(2, LENGTH)
_EXEMPLAR = key(3, LENGTH)
_HISTOGRAM = key(4, LENGTH)
_START = 3
"""Of a Sample of 2.0; those of 1.0 have none."""

# A sample of today: a value (9 bytes) and a time of six bytes in milliseconds, 1970 to 2109.
_TAIL_BYTES = 18
_TAIL_START = bytes((_SAMPLE, 16, key(1, FIXED64)))
_TIME_KEY = key(2, VARINT)
_unpack_double = struct.Struct("<d").unpack_from


def read(body: bytes, known: dict[bytes, Labels], limits: LabelLimits) -> DecodedWrite:
    """Return what a request holds; `known` is kept from request to request.

    Raises DecodeError, IndexError where the body ends early, UnicodeDecodeError.
    """
    found = DecodedWrite()
    times: dict[bytes, int] = {}
    for field_key, message in read_fields(body):
        if field_key == _SERIES:
            tail = len(message) - _TAIL_BYTES
            series = known.get(message[:tail]) if message.startswith(_TAIL_START, tail) else None
            if series is None or message[tail + 11] != _TIME_KEY:
                _read_series(message, known, limits, found)
                continue
            time = message[tail + 12 :]
            time_ms = times.get(time)
            if time_ms is None:
                time_ms, end = read_varint(time, 0)
                if end != len(time):
                    _read_series(message, known, limits, found)
                    continue
                times[time] = time_ms
            found.labels.append(series)
            found.values.append(_unpack_double(message, tail + 3)[0])
            found.timestamps_ms.append(time_ms)
        elif field_key == _METADATA:
            _read_metadata(message, found)
    return found


def _read_series(
    message: bytes, known: dict[bytes, Labels], limits: LabelLimits, found: DecodedWrite
) -> None:
    fields = read_fields(message)
    try:
        series = _learn(message, fields, known, limits)
    except InvalidSeriesError as error:
        found.reject(error)
        return
    for field_key, content in fields:
        if field_key == _SAMPLE:
            found.add(series, *read_sample(content))
        elif field_key == _EXEMPLAR:
            found.exemplars.append((series, _read_exemplar(content)))
        elif field_key == _HISTOGRAM:
            found.add_histogram(series, content)


def _learn(
    message: bytes,
    fields: list[tuple[int, bytes]],
    known: dict[bytes, Labels],
    limits: LabelLimits,
) -> Labels:
    series = checked_labels([_read_label(item) for name, item in fields if name == _LABEL], limits)
    # Remembered only where the labels are whole fields in front of one sample of today.
    if [name for name, _ in fields].count(_LABEL) == len(fields) - 1:
        prefix = message[:-_TAIL_BYTES]
        name, sample = fields[-1]
        is_usual = name == _SAMPLE and len(sample) == _TAIL_BYTES - 2
        if is_usual and message.startswith(_TAIL_START, len(prefix)):
            if len(known) >= REMEMBERED:
                known.clear()
            series = known.setdefault(prefix, series)
    return series


def _read_label(content: bytes) -> tuple[str, str]:
    name = value = b""
    for field_key, part in read_fields(content):
        if field_key == key(1, LENGTH):
            name = part
        elif field_key == key(2, LENGTH):
            value = part
    return name.decode(), value.decode()


def read_sample(content: bytes) -> tuple[float, int, int]:
    """Return value, time and start (0 is none), in milliseconds, of a Sample of either version."""
    message = Message(content, ())
    start_ms = protobuf.signed(message.number(_START))
    return message.double(1), protobuf.signed(message.number(2)), start_ms


def _read_exemplar(content: bytes) -> Exemplar:
    message = Message(content, (1,))
    pairs = sorted(_read_label(label) for label in message.repeated(1))
    return Exemplar(tuple(pairs), message.double(2), protobuf.signed(message.number(3)))


def _read_metadata(content: bytes, found: DecodedWrite) -> None:
    message = Message(content, ())
    name = message.text(2)
    if name:
        kind = type_of(message.number(1))
        found.metadata[name] = MetricMetadata(name, kind, message.text(4), message.text(5))
