"""Identifiers: never zero, never twice, not even on both sides of a fork."""

from __future__ import annotations

import os

from watchkeeper.clock import RandomIds


def test_ids_fill_their_bits_and_do_not_repeat() -> None:
    ids = RandomIds()
    traces = {ids.trace_id() for _ in range(1_000)}
    spans = {ids.span_id() for _ in range(1_000)}
    assert len(traces) == len(spans) == 1_000
    assert 2**120 < max(traces) < 2**128
    assert 2**56 < max(spans) < 2**64


def test_a_forked_child_makes_other_ids_than_its_parent() -> None:
    ids = RandomIds()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, ids.trace_id().to_bytes(16, "big"))
        os._exit(0)
    os.waitpid(child, 0)
    of_child = int.from_bytes(os.read(reading, 16), "big")
    os.close(reading)
    os.close(writing)
    assert of_child
    assert of_child != ids.trace_id()
