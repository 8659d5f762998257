"""What was read is remembered, within bounds, the last used longest."""

from __future__ import annotations

import pytest

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage.decoded_blocks import DecodedBlocks

KEY = 1, "key"


def test_what_is_known_is_not_read_again():
    blocks, reads = DecodedBlocks(100), []

    def read() -> tuple[str, int]:
        reads.append(1)
        return "value", 10

    assert [blocks.once(KEY, str, read) for _ in range(3)] == ["value"] * 3
    assert len(reads) == 1
    assert blocks.held_bytes == 10


def test_what_is_remembered_has_a_bound_and_the_last_used_stays():
    blocks = DecodedBlocks(100)
    for number in range(20):
        blocks.put((number,), number, 30)
        assert blocks.get((0,), int) == 0
        assert blocks.held_bytes <= 100
    assert [number for number in range(20) if blocks.get((number,), int) is not None] == [0, 18, 19]


def test_without_room_nothing_is_kept():
    blocks = DecodedBlocks(0)
    assert blocks.once(KEY, str, lambda: ("value", 1)) == "value"
    assert blocks.get(KEY, str) is None
    assert blocks.held_bytes == 0


def test_what_could_not_be_read_is_read_again():
    blocks = DecodedBlocks(100)

    def fail() -> tuple[str, int]:
        raise StoreDamagedError("no")

    with pytest.raises(StoreDamagedError):
        blocks.once(KEY, str, fail)
    assert blocks.once(KEY, str, lambda: ("value", 1)) == "value"


def test_of_files_that_are_gone_nothing_is_kept():
    blocks = DecodedBlocks(100)
    for number in range(3):
        blocks.put((number, "one"), number, 10)
        blocks.put((number, "other"), number, 10)
    blocks.keep_only({1})
    assert [blocks.get((number, "other"), int) for number in range(3)] == [None, 1, None]
    assert blocks.held_bytes == 20
