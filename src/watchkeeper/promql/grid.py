"""The moments a query is evaluated at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Objects = NDArray[np.object_]


@dataclass(frozen=True)
class Grid:
    """`count` moments from `start_ms` on, `step_ms` apart (0: all the same moment)."""

    start_ms: int
    step_ms: int
    count: int

    @cached_property
    def times_ms(self) -> Ints:
        """The moments as an array of `count` milliseconds."""
        return self.start_ms + self.step_ms * np.arange(self.count, dtype=np.int64)

    @property
    def end_ms(self) -> int:
        """The last moment."""
        return self.start_ms + self.step_ms * (self.count - 1)

    @property
    def first(self) -> Grid:
        """The first moment alone."""
        return Grid(self.start_ms, self.step_ms, 1)

    def moved(self, milliseconds: int) -> Grid:
        """The same grid earlier by `milliseconds`."""
        return Grid(self.start_ms - milliseconds, self.step_ms, self.count)

    def fixed(self, moment_ms: int) -> Grid:
        """As many moments, all at `moment_ms`."""
        return Grid(moment_ms, 0, self.count)
