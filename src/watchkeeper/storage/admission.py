"""Which samples a series takes: each later than the one before, as Prometheus has it.

A sample as old as the newest of its series is refused as a duplicate, unless its bits are the
same, then it is passed over in silence; an older one is refused as out of order; one of a
series that the store has forgotten is refused as too old when it is not above the horizon
(Prometheus, tsdb/head_append.go: appendable, ErrOutOfBounds).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from watchkeeper.storage.sample_columns import Ids, Times, Values

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which samples to keep (a bool for each) and how many were refused, by reason."""

    keep: NDArray[np.bool_]
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def refused_samples(self) -> int:
        """How many were refused in all; samples passed over in silence are not among them."""
        return sum(self.refused.values())


class Admission:
    """Remembers the newest sample of every series, by id."""

    def __init__(self) -> None:
        self._newest_ms = np.full(1024, _NEVER, np.int64)
        self._newest_bits = np.zeros(1024, np.int64)
        self._places = np.zeros(1024, np.int32)
        self.horizon_ms = _NEVER

    def judge(self, ids: Ids, times_ms: Times, values: Values) -> Verdict:
        """Say which samples of a batch to keep, in its order; nothing is remembered yet."""
        self._make_room(ids)
        newest, bits = self._newest_ms[ids], self._newest_bits[ids]
        if self._has_twice(ids):
            newest, bits = self._running(ids, times_ms, values, newest, bits)
        keep = times_ms > np.maximum(newest, self.horizon_ms)
        if keep.all():
            return Verdict(keep)
        same_time = times_ms == newest
        known = newest != _NEVER
        counts = {
            "duplicate": same_time & (values.view(np.int64) != bits) & known,
            "out_of_order": (times_ms < newest) & known,
            "too_old": ~keep & ~known,
        }
        return Verdict(
            keep, {reason: int(which.sum()) for reason, which in counts.items() if which.any()}
        )

    def remember(self, ids: Ids, times_ms: Times, values: Values) -> None:
        """Note samples that were kept, in their order."""
        self._make_room(ids)
        # Of several samples of a series, NumPy keeps the last assignment: the newest.
        self._newest_ms[ids] = times_ms
        self._newest_bits[ids] = values.view(np.int64)

    def newest_ms(self, ids: Ids) -> Times:
        """Return the time of the newest sample of each series."""
        self._make_room(ids)
        return self._newest_ms[ids]

    def only(self, ids: Ids) -> Admission:
        """Return what is known of some series, numbered from 0, and nothing of the others.

        No sample as old as the newest of the forgotten is admitted for a new series.
        """
        kept = Admission()
        kept._newest_ms = self._newest_ms[ids]
        kept._newest_bits = self._newest_bits[ids]
        kept._places = np.zeros(len(ids), np.int32)
        forgotten = np.delete(self._newest_ms, ids)
        kept.horizon_ms = max(self.horizon_ms, int(forgotten.max(initial=_NEVER)))
        return kept

    def _make_room(self, ids: Ids) -> None:
        needed = int(ids.max(initial=0)) + 1
        if needed > len(self._newest_ms):
            more = max(needed, 2 * len(self._newest_ms)) - len(self._newest_ms)
            self._newest_ms = np.append(self._newest_ms, np.full(more, _NEVER, np.int64))
            self._newest_bits = np.append(self._newest_bits, np.zeros(more, np.int64))
            self._places = np.zeros(len(self._newest_ms), np.int32)

    def _has_twice(self, ids: Ids) -> bool:
        """Tell whether a series has several samples in a batch."""
        places = np.arange(len(ids), dtype=np.int32)
        # Of several places of a series only the last stays.
        self._places[ids] = places
        return bool((self._places[ids] != places).any())

    def _running(
        self, ids: Ids, times_ms: Times, values: Values, newest: Times, bits: Times
    ) -> tuple[Times, Times]:
        """Return what is the newest before each sample, those earlier in the batch included."""
        seen: dict[int, tuple[int, int]] = {}
        newest, bits = newest.copy(), bits.copy()
        columns = zip(ids.tolist(), times_ms.tolist(), values.view(np.int64).tolist(), strict=True)
        for position, (identity, time_ms, value_bits) in enumerate(columns):
            before = seen.get(identity)
            if before is not None:
                newest[position], bits[position] = before
            if time_ms > max(int(newest[position]), self.horizon_ms):
                seen[identity] = (time_ms, value_bits)
        return newest, bits
