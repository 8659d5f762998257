"""What was read is remembered, within bounds, the last used longest."""

from __future__ import annotations

import pytest

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage.decoded_blocks import DecodedBlocks


def test_what_is_known_is_not_read_again():
    blocks, reads = DecodedBlocks(100), []

    def read() -> tuple[str, int]:
        reads.append(1)
        return "value", 10

    assert [blocks.once("key", str, read) for _ in range(3)] == ["value"] * 3
    assert len(reads) == 1
    assert blocks.held_bytes == 10


def test_what_is_remembered_has_a_bound_and_the_last_used_stays():
    blocks = DecodedBlocks(100)
    for number in range(20):
        blocks.put(number, number, 30)
        assert blocks.get(0, int) == 0
        assert blocks.held_bytes <= 100
    assert [number for number in range(20) if blocks.get(number, int) is not None] == [0, 18, 19]


def test_without_room_nothing_is_kept():
    blocks = DecodedBlocks(0)
    assert blocks.once("key", str, lambda: ("value", 1)) == "value"
    assert blocks.get("key", str) is None
    assert blocks.held_bytes == 0


def test_what_could_not_be_read_is_read_again():
    blocks = DecodedBlocks(100)

    def fail() -> tuple[str, int]:
        raise StoreDamagedError("no")

    with pytest.raises(StoreDamagedError):
        blocks.once("key", str, fail)
    assert blocks.once("key", str, lambda: ("value", 1)) == "value"
