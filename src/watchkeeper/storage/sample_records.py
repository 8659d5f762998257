"""A batch of samples as the payload of a record of the write-ahead log.

`length (4) head ids (int32) times (int64) values (float64) starts (int64)`, little-endian; the
head is MessagePack: what the log does not know yet about series, exemplars and metadata, and
the native histograms. Starts are there where the head says so. Series that the log does not know
are described by the numbers of their pairs of name and value: after each flush those of all
targets are described again, and spelled out they would be a third of the log.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec
import numpy as np

from watchkeeper.model import Exemplar, Labels, MetricMetadata
from watchkeeper.storage import histogram_rows
from watchkeeper.storage.histogram_rows import HistogramRow
from watchkeeper.storage.label_union import LabelColumns
from watchkeeper.storage.sample_columns import Ids, Objects, SampleColumns

_LENGTH = struct.Struct("<I")


class SeriesSets(msgspec.Struct, frozen=True, array_like=True):
    """The label sets of some series: ids, how many pairs each has, and the places of these in
    `pairs`, end to end (int32, uint16, int32)."""

    ids: bytes
    lengths: bytes
    pairs: list[tuple[str, str]]
    places: bytes

    @classmethod
    def of(cls, ids: Ids, columns: LabelColumns) -> SeriesSets:
        """Return those of some ids of an index."""
        own = columns.take(ids.astype(np.int64))
        used, places = np.unique(own.pair_ids, return_inverse=True)
        return cls(
            ids.astype("<i4").tobytes(),
            np.diff(own.starts).astype("<u2").tobytes(),
            [columns.pairs[number] for number in used.tolist()],
            places.astype("<i4").tobytes(),
        )

    def labels(self) -> Iterator[tuple[int, Labels]]:
        """Give each id with its label set. Raises ValueError, IndexError."""
        ends = np.cumsum(np.frombuffer(self.lengths, "<u2"), dtype=np.int64).tolist()
        places = np.frombuffer(self.places, "<i4").tolist()
        begin = 0
        for identity, end in zip(np.frombuffer(self.ids, "<i4").tolist(), ends, strict=True):
            yield identity, tuple([self.pairs[place] for place in places[begin:end]])
            begin = end


class SampleHead(msgspec.Struct, frozen=True, array_like=True):
    """The part of a batch that is not columns. Ids are those of the log, not of a segment.

    `histograms` are those of the samples at a place in the columns; `series` were spelled out by
    earlier versions.
    """

    samples: int
    series: list[tuple[int, Labels]]
    exemplars: list[tuple[int, Exemplar]]
    metadata: list[MetricMetadata]
    histograms: list[tuple[int, HistogramRow]] = []
    has_starts: bool = False
    sets: SeriesSets | None = None

    def new_series(self) -> Iterator[tuple[int, Labels]]:
        """Give the series that the log did not know, with their ids."""
        yield from self.series
        if self.sets is not None:
            yield from self.sets.labels()


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SampleHead)


def head_of(
    columns: SampleColumns,
    sets: SeriesSets | None,
    exemplars: list[tuple[int, Exemplar]],
    metadata: list[MetricMetadata],
) -> SampleHead:
    """Return the head of a batch of such columns."""
    native = [] if columns.histograms is None else columns.histograms.tolist()
    rows = [
        (place, histogram_rows.pack(one)) for place, one in enumerate(native) if one is not None
    ]
    has_starts = columns.starts_ms is not None
    return SampleHead(len(columns), [], exemplars, metadata, rows, has_starts, sets)


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
