"""Chunks that were decoded once are remembered, within bounds, and never mixed up."""

from __future__ import annotations

import numpy as np
import pytest

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage import chunk
from watchkeeper.storage.decoded_chunks import DecodedChunks

PLENTY = 1 << 20


def blob_of(first: int) -> bytes:
    return chunk.encode_values(np.arange(first, first + 100, dtype=np.float64))


def test_a_chunk_is_decoded_once():
    decoded = DecodedChunks(PLENTY)
    first = decoded.values(blob_of(7))
    assert first.tolist() == list(range(7, 107))
    assert decoded.values(blob_of(7)) is first


def test_times_and_values_of_the_same_bytes_are_not_mixed_up():
    blob = chunk.encode_times(np.array([1, 2, 3]))
    decoded = DecodedChunks(PLENTY)
    assert (decoded.times(blob).dtype, decoded.values(blob).dtype) == (np.int64, np.float64)
    assert (decoded.times(blob).dtype, decoded.values(blob).dtype) == (np.int64, np.float64)


def test_what_is_remembered_has_a_bound_and_the_last_used_stays():
    decoded = DecodedChunks(10_000)
    kept = decoded.values(blob_of(0))
    for first in range(1, 50):
        decoded.values(blob_of(first))
        assert decoded.values(blob_of(0)) is kept
        assert 0 < decoded.held_bytes <= 10_000
    assert decoded.values(blob_of(1)).tolist() == list(range(1, 101))


def test_without_room_everything_is_decoded_and_nothing_kept():
    decoded = DecodedChunks(0)
    assert decoded.times(chunk.encode_times(np.array([5, 6]))).tolist() == [5, 6]
    assert decoded.values(blob_of(3)).tolist() == list(range(3, 103))
    assert decoded.held_bytes == 0


def test_shared_numbers_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="read-only"):
        DecodedChunks(PLENTY).values(blob_of(0))[0] = 1.0


def test_a_damaged_chunk_is_refused_each_time():
    decoded = DecodedChunks(PLENTY)
    decoded.values(blob_of(0))
    damaged = blob_of(0)[:-1] + b"!"
    for _ in range(2):
        with pytest.raises(StoreDamagedError, match="checksum"):
            decoded.values(damaged)
