"""Sums of many stretches of one array, without going through each stretch.

Windows of thirty days overlap: a sum for each of their samples costs a thousand times what the
difference of two prefix sums does. What the prefixes lost to rounding is kept beside them, twice
over, and a difference that would not be as good as a compensated sum is not given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchkeeper.promql.grid import Floats, Ints
from watchkeeper.promql.summation import two_sum

_GOOD_ENOUGH = 2.0**-20
"""What a sum may be wrong by, as a share of what its last binary place is worth."""


@dataclass(frozen=True, slots=True)
class PrefixSums:
    """The sum of the first n values for every n, as `total[n] + lost[n] + lost_twice[n]`.

    `lost_thrice` is what all roundings of `lost_twice` can come to at the most.
    """

    total: Floats
    lost: Floats
    lost_twice: Floats
    lost_thrice: float
    nonzero: Ints

    @staticmethod
    def of(values: Floats) -> PrefixSums:
        """Add up all values once."""
        total, rounding = _running(values)
        lost, again = _running(rounding)
        lost_twice, _ = _running(again)
        least = float(np.abs(again).sum()) * np.finfo(np.float64).eps * len(values)
        nonzero = np.concatenate(([0], np.cumsum(values != 0)))
        return PrefixSums(total, lost, lost_twice, least, nonzero)

    def between(self, first: Ints, after: Ints) -> Floats | None:
        """Return the sums of values[first:after], or None where one of them would be rounded.

        Infinities, NaN and values that cancel each other out a millionfold are such.
        """
        sums, rounding = two_sum(self.total[after], -self.total[first])
        small, begin, end = rounding, self.lost[first], self.lost[after]
        result: Floats = sums + (
            small + (end - begin) + (self.lost_twice[after] - self.lost_twice[first])
        )
        eps = np.finfo(np.float64).eps
        wrong = (np.abs(small) + np.abs(begin) + np.abs(end)) * (2 * eps) + self.lost_thrice
        good = wrong <= np.abs(result) * (eps * _GOOD_ENOUGH)
        empty = self.nonzero[after] == self.nonzero[first]
        if not (good | empty).all():
            return None
        result[empty] = 0.0
        return result


def _running(values: Floats) -> tuple[Floats, Floats]:
    """Return the running sum, 0 before it, and what each of its additions rounded away."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    return sums, two_sum(sums[:-1], values)[1]
