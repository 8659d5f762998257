"""How the columns of several series become one block of bytes, and come back bit for bit.

`crc (4) form (1) width (1) rows (2) count (4) body`, little-endian; the CRC-32 covers all that
follows it. A block holds rows end to end, their lengths are known to whoever reads it. Values
that are decimals of up to six places become integers: of each row either its least and the
distances from it, or its first and the differences from one to the next, in the smallest type
that holds them all. Whatever else (NaN payloads, the stale marker, infinities, -0.0) is XORed
with what is before it, as in Gorilla (Pelkonen et al., VLDB 2015) but by whole columns. Bytes
of the same place in their number go together, then Zstandard compresses them.
"""

from __future__ import annotations

import struct
import threading
import zlib
from enum import IntEnum
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from watchkeeper.errors import StoreDamagedError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_HEADER = struct.Struct("<IBBHI")
_CRC_BYTES = 4
_SCALES: Final = np.array([1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6])
_EXACT = 2.0**53
_LEVEL = 1
_FEW = 8
MAXIMUM_ROWS = 0xFFFF
_SIGNED: Final[dict[int, np.dtype[Any]]] = {width: np.dtype(f"<i{width}") for width in (1, 2, 4, 8)}
_UNSIGNED: Final[dict[int, np.dtype[Any]]] = {
    width: np.dtype(f"<u{width}") for width in (1, 2, 4, 8)
}


class Form(IntEnum):
    """How the numbers of a block are written down."""

    DISTANCES = 0
    DIFFERENCES = 1
    BITS = 2


class _Contexts(threading.local):
    """Zstandard contexts, one a thread: to make one costs more than to open a block."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_CONTEXTS = _Contexts()


def squeeze(data: bytes) -> bytes:
    """Return data compressed, with its checksum in front."""
    body = _CONTEXTS.compress(data)
    return struct.pack("<I", zlib.crc32(body)) + body


def unsqueeze(data: bytes) -> bytes:
    """Return what `squeeze` was given. Raises StoreDamagedError."""
    if len(data) < _CRC_BYTES or zlib.crc32(data[_CRC_BYTES:]) != int.from_bytes(
        data[:_CRC_BYTES], "little"
    ):
        raise StoreDamagedError(f"{len(data)} bytes fail their checksum")
    return _decompress(data[_CRC_BYTES:])


def row_starts(lengths: Ints) -> Ints:
    """Return where each row begins, and at last where all end."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def positions(starts: Ints, rows: Ints) -> Ints:
    """Return the positions of the numbers of some rows, given where all rows begin and end."""
    counts = starts[rows + 1] - starts[rows]
    shift: Ints = np.repeat(starts[rows] - row_starts(counts)[:-1], counts)
    return shift + np.arange(len(shift))


def forms_and_scales(values: Floats, lengths: Ints) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return the form that suits each row, and the power of ten that makes it integers.

    Rows MUST NOT be empty.
    """
    forms = np.full(len(lengths), Form.BITS, np.int8)
    scales = np.zeros(len(lengths), np.int8)
    every = row_starts(lengths)
    guessed = _least_scales(values, every[:-1], lengths)
    for power in range(len(_SCALES)):
        rows = np.flatnonzero(guessed == power)
        if not len(rows):
            continue
        chosen = values if len(rows) == len(lengths) else values[positions(every, rows)]
        starts = row_starts(lengths[rows])
        integers, exact = _as_integers(chosen, _SCALES[power])
        whole = np.logical_and.reduceat(exact, starts[:-1])
        scales[rows[whole]] = power
        forms[rows[whole]] = _suitable(integers, starts, lengths[rows])[whole]
        guessed[rows[~whole]] = power + 1
    return forms, scales


def _least_scales(values: Floats, starts: Ints, lengths: Ints) -> NDArray[np.int8]:
    """Return for each row the least scale that suits a few of its values."""
    few = values[starts[:, None] + np.arange(_FEW) * lengths[:, None] // _FEW]
    least = np.full(len(starts), len(_SCALES), np.int8)
    for power in range(len(_SCALES) - 1, -1, -1):
        least[_as_integers(few, _SCALES[power])[1].all(axis=1)] = power
    return least


def encode_values(values: Floats, lengths: Ints, form: Form, scales: NDArray[np.int8]) -> bytes:
    """Return a block of rows of one form as `forms_and_scales` found it, every bit kept."""
    if form is Form.BITS:
        bits = values.view(np.int64)
        mixed = bits.copy()
        mixed[1:] ^= bits[:-1]
        firsts = row_starts(lengths)[:-1]
        mixed[firsts] = bits[firsts]
        return _seal(form, 8, len(lengths), mixed)
    scale = np.repeat(_SCALES[scales], lengths) if scales.any() else 1.0
    with np.errstate(all="ignore"):
        integers = np.rint(values * scale).astype(np.int64)
    return _encode(integers, lengths, form, scales.astype(np.uint8).tobytes())


def decode_values(block: bytes, lengths: Ints, rows: Ints | None = None) -> Floats:
    """Return what `encode_values` was given, bit for bit, or only some of the rows.

    `lengths` are those of all rows. Raises StoreDamagedError.
    """
    form, width, body = _open(block, lengths)
    if form is Form.BITS:
        return _decode_bits(body, lengths, rows)
    integers = _decode(form, width, body[len(lengths) :], lengths, rows)
    scales = np.frombuffer(body, np.uint8, len(lengths))
    if rows is not None:
        scales, lengths = scales[rows], lengths[rows]
    if not scales.any():
        return integers.astype(np.float64)
    if scales.max() >= len(_SCALES):
        raise StoreDamagedError(f"a block has the scale {scales.max()}, which none has")
    values: Floats = integers / np.repeat(_SCALES[scales], lengths)
    return values


def encode_integers(integers: Ints, lengths: Ints) -> bytes:
    """Return a block of rows of int64 numbers: times, in milliseconds."""
    return _encode(integers, lengths, Form.DIFFERENCES, b"")


def decode_integers(block: bytes, lengths: Ints, rows: Ints | None = None) -> Ints:
    """Return what `encode_integers` was given, or only some of the rows.

    Raises StoreDamagedError.
    """
    form, width, body = _open(block, lengths)
    if form is Form.BITS:
        raise StoreDamagedError("a block of times is written as bits, which times never are")
    return _decode(form, width, body, lengths, rows)


def _as_integers(values: Floats, scale: float) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the values times `scale`, and for which dividing gives every bit back."""
    with np.errstate(all="ignore"):
        scaled = values if scale == 1.0 else values * scale
        scaled = np.rint(scaled)
        fits = np.abs(scaled) < _EXACT
        integers = np.where(fits, scaled, 0.0).astype(np.int64)
        again = integers.astype(np.float64) if scale == 1.0 else integers / scale
    return integers, fits & (again.view(np.int64) == values.view(np.int64))


def _suitable(integers: Ints, starts: Ints, lengths: Ints) -> NDArray[np.int8]:
    """Return DISTANCES for rows that waver around a level, DIFFERENCES for the others."""
    steps = np.zeros(len(integers))
    np.abs(np.diff(integers), out=steps[1:], casting="unsafe")
    steps[starts[:-1]] = 0
    numbers = integers.astype(np.float64)
    level = np.add.reduceat(numbers, starts[:-1]) / lengths
    numbers -= np.repeat(level, lengths)
    np.abs(numbers, out=numbers)
    wavering = np.add.reduceat(numbers, starts[:-1]) < np.add.reduceat(steps, starts[:-1])
    return np.where(wavering, Form.DISTANCES, Form.DIFFERENCES).astype(np.int8)


def _encode(integers: Ints, lengths: Ints, form: Form, before: bytes) -> bytes:
    starts = row_starts(lengths)[:-1]
    # Differences wrap around 2**64, and so does their sum: nothing is lost.
    if form is Form.DIFFERENCES:
        bases = integers[starts]
        numbers = np.empty_like(integers)
        np.subtract(integers[1:], integers[:-1], out=numbers[1:])
        numbers[starts] = 0
        types = _SIGNED
    else:
        bases = np.minimum.reduceat(integers, starts)
        numbers = (integers - np.repeat(bases, lengths)).view(np.uint64)
        types = _UNSIGNED
    low, high = int(numbers.min()), int(numbers.max())
    width = next(
        width
        for width, dtype in types.items()
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max
    )
    return _seal(form, width, len(lengths), numbers, before + _shuffled(bases, 8))


def _decode_bits(body: bytes, lengths: Ints, rows: Ints | None) -> Floats:
    bits = np.bitwise_xor.accumulate(_unshuffled(body, _SIGNED[8], lengths, rows))
    if rows is not None:
        lengths = lengths[rows]
    # What is before a row was mixed into all of it.
    before = bits[row_starts(lengths)[1:-1] - 1]
    bits[lengths[0] :] ^= np.repeat(before, lengths[1:])
    return bits.view(np.float64)


def _decode(form: Form, width: int, body: bytes, lengths: Ints, rows: Ints | None = None) -> Ints:
    split = 8 * len(lengths)
    bases = _unshuffled(body[:split], _SIGNED[8], np.ones_like(lengths), rows)
    types = _SIGNED if form is Form.DIFFERENCES else _UNSIGNED
    numbers = _unshuffled(body[split:], types[width], lengths, rows)
    if rows is not None:
        lengths = lengths[rows]
    if (lengths == lengths[0]).all():
        table = numbers.reshape(len(lengths), -1)
        if form is Form.DIFFERENCES:
            table[:, 0] = bases
            return np.cumsum(table, axis=1).reshape(-1)
        return (table + bases[:, None]).reshape(-1)
    if form is Form.DIFFERENCES:
        np.cumsum(numbers, out=numbers)
        bases -= numbers[row_starts(lengths)[:-1]]
    numbers += np.repeat(bases, lengths)
    return numbers


def _seal(form: Form, width: int, rows: int, numbers: NDArray[Any], before: bytes = b"") -> bytes:
    body = _CONTEXTS.compress(before + _shuffled(numbers, width))
    sealed = _HEADER.pack(0, form, width, rows, len(numbers))[_CRC_BYTES:] + body
    return struct.pack("<I", zlib.crc32(sealed)) + sealed


def _open(block: bytes, lengths: Ints) -> tuple[Form, int, bytes]:
    if len(block) < _HEADER.size or zlib.crc32(block[_CRC_BYTES:]) != int.from_bytes(
        block[:_CRC_BYTES], "little"
    ):
        raise StoreDamagedError(f"a block of {len(block)} bytes fails its checksum")
    _, form, width, rows, count = _HEADER.unpack_from(block)
    known = form in iter(Form) and width in _SIGNED
    if (rows, count) != (len(lengths), int(lengths.sum())) or not known:
        raise StoreDamagedError(f"a block of {rows} rows, {count} numbers is not the one expected")
    return Form(form), width, _decompress(block[_HEADER.size :])


def _decompress(body: bytes) -> bytes:
    try:
        return _CONTEXTS.decompress(body)
    except zstandard.ZstdError as error:
        raise StoreDamagedError(f"{len(body)} bytes cannot be decompressed: {error}") from error


def _shuffled(numbers: NDArray[Any], width: int) -> bytes:
    narrow = numbers.astype(_SIGNED[width])
    if width == 1:
        return narrow.tobytes()
    by_number = narrow.view(np.uint8).reshape(-1, width)
    planes = np.empty((width, len(narrow)), np.uint8)
    # A loop over the few places: NumPy transposes narrow arrays several times slower.
    for place in range(width):
        planes[place] = by_number[:, place]
    return planes.tobytes()


def _unshuffled(data: bytes, dtype: np.dtype[Any], lengths: Ints, rows: Ints | None = None) -> Ints:
    """Return numbers of a type, all or those of some rows, as int64, an array of their own."""
    width, count = dtype.itemsize, int(lengths.sum())
    if len(data) != width * count:
        raise StoreDamagedError(f"{len(data)} bytes are not {count} numbers of {width}")
    planes = np.frombuffer(data, np.uint8).reshape(width, count)
    if rows is not None:
        planes = planes[:, positions(row_starts(lengths), rows)]
    if width == 1:
        return planes.reshape(-1).view(dtype).astype(np.int64)
    by_number = np.empty((planes.shape[1], width), np.uint8)
    for place, plane in enumerate(planes):
        by_number[:, place] = plane
    narrow = by_number.reshape(-1).view(dtype)
    return narrow.view(np.int64) if width == 8 else narrow.astype(np.int64)
