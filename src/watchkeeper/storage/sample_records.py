"""A batch of samples as the payload of a record of the write-ahead log.

`length (4) head ids (int32) times (int64) values (float64)`, little-endian; the head is
MessagePack: what the log does not know yet about series, exemplars and metadata.
"""

from __future__ import annotations

import struct

import msgspec
import numpy as np

from watchkeeper.model import Exemplar, Labels, MetricMetadata
from watchkeeper.storage.hot_samples import Ids, Times, Values

_LENGTH = struct.Struct("<I")


class SampleHead(msgspec.Struct, frozen=True, array_like=True):
    """The part of a batch that is not columns. Ids are those of the log, not of a segment."""

    samples: int
    series: list[tuple[int, Labels]]
    exemplars: list[tuple[int, Exemplar]]
    metadata: list[MetricMetadata]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(SampleHead)


def pack(head: SampleHead, ids: Ids, times_ms: Times, values: Values) -> bytes:
    """Return the payload of a batch."""
    encoded = _ENCODER.encode(head)
    return b"".join(
        (
            _LENGTH.pack(len(encoded)),
            encoded,
            ids.astype("<i4", copy=False).tobytes(),
            times_ms.astype("<i8", copy=False).tobytes(),
            values.astype("<f8", copy=False).tobytes(),
        )
    )


def unpack(payload: bytes) -> tuple[SampleHead, Ids, Times, Values]:
    """Return what `pack` was given."""
    (length,) = _LENGTH.unpack_from(payload)
    offset = _LENGTH.size + length
    head = _DECODER.decode(payload[_LENGTH.size : offset])
    count = head.samples
    return (
        head,
        np.frombuffer(payload, "<i4", count, offset),
        np.frombuffer(payload, "<i8", count, offset + 4 * count),
        np.frombuffer(payload, "<f8", count, offset + 12 * count),
    )
