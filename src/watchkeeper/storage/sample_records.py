"""A batch of samples as the payload of a record of the write-ahead log.

`length (4) head ids (int32) times (int64) values (float64) starts (int64)`, little-endian; the
head is MessagePack: what the log does not know yet about series, exemplars and metadata, and
the native histograms. Starts are there where the head says so.
"""

from __future__ import annotations

import struct

import msgspec
import numpy as np

from watchkeeper.model import Exemplar, Labels, MetricMetadata
from watchkeeper.storage import histogram_rows
from watchkeeper.storage.histogram_rows import HistogramRow
from watchkeeper.storage.sample_columns import Objects, SampleColumns

_LENGTH = struct.Struct("<I")


class SampleHead(msgspec.Struct, frozen=True, array_like=True):
    """The part of a batch that is not columns. Ids are those of the log, not of a segment.

    `histograms` are those of the samples at a place in the columns.
    """

    samples: int
    series: list[tuple[int, Labels]]
    exemplars: list[tuple[int, Exemplar]]
    metadata: list[MetricMetadata]
    histograms: list[tuple[int, HistogramRow]] = []
    has_starts: bool = False


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SampleHead)


def head_of(
    columns: SampleColumns,
    series: list[tuple[int, Labels]],
    exemplars: list[tuple[int, Exemplar]],
    metadata: list[MetricMetadata],
) -> SampleHead:
    """Return the head of a batch of such columns."""
    native = [] if columns.histograms is None else columns.histograms.tolist()
    rows = [
        (place, histogram_rows.pack(one)) for place, one in enumerate(native) if one is not None
    ]
    has_starts = columns.starts_ms is not None
    return SampleHead(len(columns), series, exemplars, metadata, rows, has_starts)


def pack(head: SampleHead, columns: SampleColumns) -> bytes:
    """Return the payload of a batch; the head is of the same columns."""
    encoded = _ENCODER.encode(head)
    pieces = [
        _LENGTH.pack(len(encoded)),
        encoded,
        columns.ids.astype("<i4", copy=False).tobytes(),
        columns.times_ms.astype("<i8", copy=False).tobytes(),
        columns.values.astype("<f8", copy=False).tobytes(),
    ]
    if columns.starts_ms is not None:
        pieces.append(columns.starts_ms.astype("<i8", copy=False).tobytes())
    return b"".join(pieces)


def unpack(payload: bytes) -> tuple[SampleHead, SampleColumns]:
    """Return what `pack` was given."""
    (length,) = _LENGTH.unpack_from(payload)
    offset = _LENGTH.size + length
    head = _DECODER.decode(payload[_LENGTH.size : offset])
    count = head.samples
    columns = SampleColumns(
        np.frombuffer(payload, "<i4", count, offset),
        np.frombuffer(payload, "<i8", count, offset + 4 * count),
        np.frombuffer(payload, "<f8", count, offset + 12 * count),
        np.frombuffer(payload, "<i8", count, offset + 20 * count) if head.has_starts else None,
        _histograms(head),
    )
    return head, columns


def _histograms(head: SampleHead) -> Objects | None:
    if not head.histograms:
        return None
    column = np.full(head.samples, None)
    for place, row in head.histograms:
        column[place] = histogram_rows.unpack(row)
    return column
