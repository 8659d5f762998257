"""How long a question takes: the median of a few rounds, after one that warms caches."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

ROUNDS = 7


def median_ms(call: Callable[[], object]) -> float:
    """Return what a call takes, in milliseconds."""
    call()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
