"""Every column of numbers comes back bit for bit, and damage is noticed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage import chunk

INT64 = st.integers(-(2**63), 2**63 - 1)
ANY_BITS = arrays.arrays(np.int64, st.integers(0, 50), elements=INT64)
STALE = 0x7FF0000000000002


def bits(values: list[float]) -> np.ndarray:
    return np.array(values, np.float64).view(np.int64)


@given(ANY_BITS)
@example(np.array([STALE, STALE + 1, -1, -(2**63), 0x7FF8000000000001]))
@example(bits([float("inf"), float("-inf"), 0.0, -0.0]))
@example(bits([1.0, 2.0, 1e9, 0.0, 1.0]))
@example(bits([0.1, 0.25, 0.125, 3.999]))
@example(bits([2.0**53, 2.0**53 - 1, 2.0**63, -(2.0**63)]))
@example(bits([]))
def test_values_of_any_bits_come_back(found: np.ndarray):
    blob = chunk.encode_values(found.view(np.float64))
    assert chunk.decode_values(blob).view(np.int64).tolist() == found.tolist()


@given(st.lists(st.integers(-(10**6), 10**6), max_size=50), st.sampled_from([1, 10, 100, 1000]))
def test_decimals_come_back(integers: list[int], scale: int):
    values = np.array([one / scale for one in integers], np.float64)
    assert chunk.decode_values(chunk.encode_values(values)).tobytes() == values.tobytes()


@given(ANY_BITS)
@example(np.array([5, 5, 5]))
@example(np.array([2**63 - 1, -(2**63), 0]))
def test_times_come_back_equal_ones_too(times: np.ndarray):
    assert chunk.decode_times(chunk.encode_times(times)).tolist() == times.tolist()


@given(st.lists(st.floats(), min_size=1, max_size=20), st.data())
def test_no_changed_byte_goes_unnoticed(values: list[float], data: st.DataObject):
    blob = bytearray(chunk.encode_values(np.array(values, np.float64)))
    place = data.draw(st.integers(0, len(blob) - 1))
    blob[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StoreDamagedError, match="checksum"):
        chunk.decode_values(bytes(blob))


def test_a_counter_scraped_for_two_hours_takes_little():
    values = np.cumsum(np.random.default_rng(1).integers(0, 5, 480)).astype(np.float64)
    times = np.arange(480, dtype=np.int64) * 15_000
    assert len(chunk.encode_values(values)) < 1.0 * 480
    assert len(chunk.encode_times(times)) < 64


def test_threads_open_chunks_at_the_same_time():
    columns = [np.arange(2000, dtype=np.float64) % (number + 2) for number in range(40)]
    blobs = [chunk.encode_values(one) for one in columns]
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(chunk.decode_values, blobs * 5))
    assert [one.tolist() for one in opened] == [one.tolist() for one in columns * 5]
