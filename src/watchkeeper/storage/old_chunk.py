"""How a column of numbers of one series becomes bytes, and comes back bit for bit.

`crc (4) form (1) width (1) count (4) first (8) body`, little-endian; the CRC-32 covers all
that follows it. Values that are decimals of up to three places become integers, and those
their differences in the smallest type that holds them; whatever else (NaN payloads, the
stale marker, infinities, -0.0) is XORed with its predecessor and shuffled by bytes, as in
Gorilla (Pelkonen et al., VLDB 2015) but by whole columns. Zstandard goes last, where it helps.
"""

from __future__ import annotations

import struct
import threading
import zlib
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from watchkeeper.errors import StoreDamagedError

_HEADER = struct.Struct("<IBBIq")
_CRC_BYTES = 4
_SCALES: Final = (1.0, 10.0, 100.0, 1000.0)
_EXACT = 2.0**53
_XOR = 4
_COMPRESSED = 0x80
_DTYPES: Final[dict[int, np.dtype[Any]]] = {width: np.dtype(f"<i{width}") for width in (1, 2, 4, 8)}

Int64Array = NDArray[np.int64]
Float64Array = NDArray[np.float64]


class _Decompressor(threading.local):
    """One Zstandard context a thread: to make one costs more than to open a chunk."""

    def __init__(self) -> None:
        self.zstandard = zstandard.ZstdDecompressor()


_DECOMPRESSOR = _Decompressor()


def decode_times(blob: bytes) -> Int64Array:
    """Return what `encode_times` was given. Raises StoreDamagedError."""
    form, width, count, first, body = _open(blob)
    if form != 0:
        raise StoreDamagedError(f"a chunk of times has the form {form}, which times never have")
    return _decode_integers(width, count, first, body)


def decode_values(blob: bytes) -> Float64Array:
    """Return what `encode_values` was given, bit for bit. Raises StoreDamagedError."""
    form, width, count, first, body = _open(blob)
    if form < len(_SCALES):
        integers = _decode_integers(width, count, first, body)
        return integers / _SCALES[form]
    bits = np.empty(count, np.int64)
    if count:
        bits[0] = first
        columns = np.frombuffer(body, np.uint8).reshape(8, count - 1)
        bits[1:] = np.ascontiguousarray(columns.T).view(np.int64).reshape(-1)
    return np.bitwise_xor.accumulate(bits).view(np.float64)


def _decode_integers(width: int, count: int, first: int, body: bytes) -> Int64Array:
    integers = np.empty(count, np.int64)
    if count:
        integers[0] = first
        integers[1:] = np.frombuffer(body, _DTYPES[width])
        np.cumsum(integers, out=integers)
    return integers


def _open(blob: bytes) -> tuple[int, int, int, int, bytes]:
    if len(blob) < _HEADER.size or zlib.crc32(blob[_CRC_BYTES:]) != int.from_bytes(
        blob[:_CRC_BYTES], "little"
    ):
        raise StoreDamagedError(f"a chunk of {len(blob)} bytes fails its checksum")
    _, form, width, count, first = _HEADER.unpack_from(blob)
    body = blob[_HEADER.size :]
    if form & _COMPRESSED:
        body = _DECOMPRESSOR.zstandard.decompress(body)
    return form & ~_COMPRESSED, width, count, first, body
