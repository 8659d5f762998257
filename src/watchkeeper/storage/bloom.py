"""Bloom filters of which single blocks can be read and checked: is a key surely not there?

Each key goes to one block of 64 bytes (Putze, Sanders, Singler 2007, "Cache-, Hash- and
Space-Efficient Bloom Filters"): 480 bits and the CRC-32 of these. With 12 bits a key, one key in
two hundred is thought to be there that is not, with 24 one in two thousand. Keys are 64-bit hashes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

BLOCK_BYTES = 64
_BITS = (BLOCK_BYTES - 4) * 8
_PROBES = 6


def build(keys: Keys, bits_per_key: int) -> bytes:
    """Return the filter of some distinct keys, one block at least."""
    blocks = max(1, -(-len(keys) * bits_per_key // _BITS))
    bits = np.zeros((blocks, BLOCK_BYTES * 8), np.bool_)
    low = keys & np.uint64(0xFFFFFFFF)
    chosen = ((keys >> np.uint64(32)) * np.uint64(blocks) >> np.uint64(32)).astype(np.int64)
    start, step = low & np.uint64(0xFFFF), (low >> np.uint64(16)) | np.uint64(1)
    for probe in range(_PROBES):
        bits[chosen, ((start + np.uint64(probe) * step) % np.uint64(_BITS)).astype(np.int64)] = True
    packed = np.packbits(bits, axis=1, bitorder="little")
    return b"".join(_sealed(block[:-4].tobytes()) for block in packed)


def block_of(key: int, blocks: int) -> int:
    """Return which block of a filter a key would be in."""
    return (key >> 32) * blocks >> 32


def may_hold(block: bytes, key: int) -> bool:
    """Tell whether a key may be in its block; a damaged block holds everything."""
    if len(block) != BLOCK_BYTES or _sealed(block[:-4]) != block:
        return True
    return all(block[bit >> 3] >> (bit & 7) & 1 for bit in _probes(key))


def damaged_blocks(data: bytes) -> Iterable[int]:
    """Yield the numbers of the blocks that fail their checksum."""
    for number in range(0, len(data), BLOCK_BYTES):
        block = data[number : number + BLOCK_BYTES]
        if len(block) != BLOCK_BYTES or _sealed(block[:-4]) != block:
            yield number // BLOCK_BYTES


def _probes(key: int) -> Iterator[int]:
    start, step = key & 0xFFFF, (key >> 16 & 0xFFFF) | 1
    return ((start + probe * step) % _BITS for probe in range(_PROBES))


def _sealed(bits: bytes) -> bytes:
    return bits + zlib.crc32(bits).to_bytes(4, "little")
