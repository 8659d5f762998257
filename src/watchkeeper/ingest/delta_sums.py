"""Increases added up to the running totals that Prometheus counts in.

Source: OpenTelemetry, "Metrics Data Model", delta to cumulative. An increase that is not later
than the last of its series was there already, or comes too late: it is not added.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from watchkeeper.model import Labels
from watchkeeper.wire.otlp_metrics import DecodedMetrics

MOST_SERIES = 100_000


@dataclass(frozen=True, slots=True)
class Totals:
    """Running totals in three columns of equal length, and how many increases came too late."""

    labels: list[Labels] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    late: int = 0


class DeltaSums:
    """The running total of every series that sends increases.

    Beyond `most_series`, the ones that were silent longest begin at zero again, which queries
    see as a reset; so do all when the process starts.
    """

    def __init__(self, most_series: int = MOST_SERIES) -> None:
        self._most_series = most_series
        self._lock = Lock()
        self._last: dict[Labels, tuple[int, float]] = {}

    @contextmanager
    def adding(self, deltas: DecodedMetrics) -> Iterator[Totals]:
        """Give the totals after some increases, and remember them if the block ends well."""
        with self._lock:
            fresh: dict[Labels, tuple[int, float]] = {}
            totals, late = Totals(), 0
            rows = zip(deltas.labels, deltas.timestamps_ms, deltas.values, strict=True)
            for series, time_ms, increase in rows:
                last_ms, total = fresh.get(series) or self._last.get(series) or (-1, 0.0)
                if time_ms <= last_ms:
                    late += 1
                    continue
                # A stale marker adds nothing, and is passed on as it is.
                stale = math.isnan(increase)
                after = total if stale else total + increase
                fresh[series] = (time_ms, after)
                totals.labels.append(series)
                totals.timestamps_ms.append(time_ms)
                totals.values.append(increase if stale else after)
            yield Totals(totals.labels, totals.timestamps_ms, totals.values, late)
            self._remember(fresh)

    def _remember(self, fresh: dict[Labels, tuple[int, float]]) -> None:
        for series, state in fresh.items():
            self._last.pop(series, None)
            self._last[series] = state
        while len(self._last) > self._most_series:
            del self._last[next(iter(self._last))]
