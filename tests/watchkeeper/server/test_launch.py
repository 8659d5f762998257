"""A server that runs is not held up by Python's garbage collector."""

import gc

from watchkeeper.server.launch import collecting_little


def test_what_the_start_made_is_not_looked_through_again_until_the_end():
    thresholds = gc.get_threshold()
    with collecting_little():
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] > thresholds[0]
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == thresholds
