"""Bloom filters: no key that is in is missed, few others are taken for one, damage hides none."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.storage import bloom

KEYS = st.lists(st.integers(0, 2**64 - 1), max_size=300, unique=True)


def holds(data: bytes, key: int) -> bool:
    place = bloom.block_of(key, len(data) // bloom.BLOCK_BYTES) * bloom.BLOCK_BYTES
    return bloom.may_hold(data[place : place + bloom.BLOCK_BYTES], key)


@given(keys=KEYS)
def test_every_key_is_found(keys: list[int]):
    data = bloom.build(np.array(keys, np.uint64))
    assert all(holds(data, key) for key in keys)


def test_about_one_in_a_hundred_others_is_taken_for_a_key():
    chance = np.random.default_rng(7)
    keys, others = chance.integers(0, 2**64, (2, 20_000), np.uint64)
    data = bloom.build(keys)
    assert len(data) < 2 * len(keys)
    assert sum(holds(data, other) for other in others.tolist()) < len(others) * 0.02


def test_a_damaged_block_hides_nothing_and_is_found():
    data = bytearray(bloom.build(np.arange(2**60, 2**60 + 500, dtype=np.uint64)))
    assert list(bloom.damaged_blocks(data)) == []
    data[64:128] = bytes(64)
    assert bloom.may_hold(bytes(data[64:128]), 12345)
    assert list(bloom.damaged_blocks(data)) == [1]
