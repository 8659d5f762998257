"""Bloom filters: no key that is in is missed, few others are taken for one, damage hides none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.storage import bloom

KEYS = st.lists(st.integers(0, 2**64 - 1), max_size=300, unique=True)


def holds(data: bytes, key: int) -> bool:
    place = bloom.block_of(key, len(data) // bloom.BLOCK_BYTES) * bloom.BLOCK_BYTES
    return bloom.may_hold(data[place : place + bloom.BLOCK_BYTES], key)


@given(keys=KEYS)
def test_every_key_is_found(keys: list[int]):
    data = bloom.build(np.array(keys, np.uint64), 12)
    assert all(holds(data, key) for key in keys)


@pytest.mark.parametrize(("bits_per_key", "share"), [(12, 0.02), (24, 0.001)])
def test_few_others_are_taken_for_a_key(bits_per_key: int, share: float):
    chance = np.random.default_rng(7)
    keys, others = chance.integers(0, 2**64, (2, 20_000), np.uint64)
    data = bloom.build(keys, bits_per_key)
    assert len(data) < 1.1 * len(keys) * bits_per_key / 8
    assert sum(holds(data, other) for other in others.tolist()) < len(others) * share


def test_a_damaged_block_hides_nothing_and_is_found():
    data = bytearray(bloom.build(np.arange(2**60, 2**60 + 500, dtype=np.uint64), 12))
    assert list(bloom.damaged_blocks(data)) == []
    data[64:128] = bytes(64)
    assert bloom.may_hold(bytes(data[64:128]), 12345)
    assert list(bloom.damaged_blocks(data)) == [1]
