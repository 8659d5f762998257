"""Columns of several series come back bit for bit, and damage is noticed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage import column_codec
from watchkeeper.storage.column_codec import Form

STALE = 0x7FF0000000000002
INT64 = st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(st.lists(INT64, min_size=1, max_size=20), min_size=1, max_size=12)


def flat(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return rows end to end, and their lengths."""
    lengths = np.array([len(row) for row in rows], np.int64)
    return np.concatenate([np.array(row, np.int64) for row in rows]), lengths


def bits(values: list[float]) -> list[int]:
    return np.array(values, np.float64).view(np.int64).tolist()


def encoded(values: np.ndarray, lengths: np.ndarray) -> list[tuple[np.ndarray, bytes]]:
    """Return a block of the rows of each form, with their numbers."""
    forms, scales = column_codec.forms_and_scales(values, lengths)
    starts = column_codec.row_starts(lengths)
    blocks = []
    for form in Form:
        rows = np.flatnonzero(forms == form)
        if len(rows):
            chosen = values[column_codec.positions(starts, rows)]
            block = column_codec.encode_values(chosen, lengths[rows], form, scales[rows])
            blocks.append((rows, block))
    return blocks


def round_trip(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    starts = column_codec.row_starts(lengths)
    found = np.zeros_like(values)
    for rows, block in encoded(values, lengths):
        decoded = column_codec.decode_values(block, lengths[rows])
        found[column_codec.positions(starts, rows)] = decoded
    return found


@given(ROWS)
@example([[STALE, STALE + 1, -1, -(2**63), 0x7FF8000000000001]])
@example([bits([float("inf"), float("-inf"), 0.0, -0.0]), bits([-0.0]), bits([0.0])])
@example([bits([1.0, 2.0, 1e9, 0.0, 1.0]), bits([5.0] * 4), bits([1e15, 0.0, 1.0])])
@example([bits([0.1, 0.25, 0.125, 3.999]), bits([1.5, STALE]), bits([1e-6, 2e-6])])
@example([bits([2.0**53, 2.0**53 - 1, 2.0**63, -(2.0**63)]), bits([2.0**53 - 1, 0.0])])
def test_values_of_any_bits_come_back(rows: list[list[int]]):
    numbers, lengths = flat(rows)
    found = round_trip(numbers.view(np.float64), lengths)
    assert found.view(np.int64).tolist() == numbers.tolist()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 10, 100, 1000, 10**4, 10**5, 10**6]),
            st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_decimals_come_back(rows: list[tuple[int, list[int]]]):
    values = np.array([one / scale for scale, row in rows for one in row], np.float64)
    lengths = np.array([len(row) for _, row in rows], np.int64)
    assert round_trip(values, lengths).tobytes() == values.tobytes()


@given(ROWS)
@example([[5, 5, 5], [5, 5, 5]])
@example([[2**63 - 1, -(2**63), 0], [0], [1, 2]])
def test_times_come_back_equal_ones_too(rows: list[list[int]]):
    times, lengths = flat(rows)
    block = column_codec.encode_integers(times, lengths)
    assert column_codec.decode_integers(block, lengths).tolist() == times.tolist()


@given(ROWS, st.data())
def test_no_changed_byte_goes_unnoticed(rows: list[list[int]], data: st.DataObject):
    numbers, lengths = flat(rows)
    chosen, whole = encoded(numbers.view(np.float64), lengths)[0]
    block = bytearray(whole)
    block[data.draw(st.integers(0, len(block) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(StoreDamagedError, match="checksum"):
        column_codec.decode_values(bytes(block), lengths[chosen])


@given(ROWS, st.data())
@example([bits([0.1, STALE]), bits([1 / 3]), bits([float("inf"), 2.5, 0.7])], None)
def test_some_rows_of_a_block_are_what_all_of_it_has_there(
    rows: list[list[int]], data: st.DataObject | None
):
    numbers, lengths = flat(rows)
    for chosen, block in encoded(numbers.view(np.float64), lengths):
        own = lengths[chosen]
        every = list(range(len(own)))
        wanted = (
            every[::2] if data is None else data.draw(st.sets(st.sampled_from(every), min_size=1))
        )
        some = np.array(sorted(wanted))
        whole = column_codec.decode_values(block, own)
        places = column_codec.positions(column_codec.row_starts(own), some)
        part = column_codec.decode_values(block, own, some)
        assert part.tobytes() == whole[places].tobytes()


def test_a_block_is_not_taken_for_that_of_other_rows():
    block = column_codec.encode_integers(np.arange(6), np.array([3, 3]))
    with pytest.raises(StoreDamagedError, match="not the one expected"):
        column_codec.decode_integers(block, np.array([3, 4]))
    with pytest.raises(StoreDamagedError, match="not the one expected"):
        column_codec.decode_integers(block, np.array([6]))


def test_counters_and_wavering_gauges_scraped_for_two_hours_take_little():
    random = np.random.default_rng(1)
    counters = np.cumsum(random.integers(0, 5, (64, 480)), axis=1).astype(np.float64)
    gauges = np.round(random.normal(50, 10, (64, 480)), 3)
    values, lengths = np.concatenate([counters, gauges]).reshape(-1), np.full(128, 480)
    forms, _ = column_codec.forms_and_scales(values, lengths)
    assert set(forms[:64].tolist()) == {Form.DIFFERENCES}
    assert set(forms[64:].tolist()) == {Form.DISTANCES}
    sizes = {rows[0]: len(block) for rows, block in encoded(values, lengths)}
    assert sizes[0] < 0.5 * counters.size
    assert sizes[64] < 2.3 * gauges.size


def test_threads_open_blocks_at_the_same_time():
    rows = [np.arange(2000, dtype=np.float64) % (number + 2) for number in range(40)]
    length = np.array([2000])
    blocks = [encoded(row, length)[0][1] for row in rows]
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(lambda one: column_codec.decode_values(one, length), blocks * 5))
    assert [one.tolist() for one in opened] == [one.tolist() for one in rows * 5]
