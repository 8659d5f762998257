"""Increases added up to the running totals that Prometheus counts in.

Source: OpenTelemetry, "Metrics Data Model", delta to cumulative. An increase that is not later
than the last of its series was there already, or comes too late: it is not added.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock

from watchkeeper.model import Labels, NativeHistogram
from watchkeeper.promql.native_histogram import added
from watchkeeper.wire.otlp_metrics import DecodedMetrics

MOST_SERIES = 100_000

State = tuple[int, float, NativeHistogram | None]
"""Time of the last increase, the total, and the total of the histograms of a series."""
_NEVER: State = (-1, 0.0, None)


@dataclass(frozen=True, slots=True)
class Totals:
    """Running totals in three columns of equal length, the histograms among them by row, and
    how many increases came too late."""

    labels: list[Labels] = field(default_factory=list)
    timestamps_ms: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    histograms: dict[int, NativeHistogram] = field(default_factory=dict)
    late: int = 0


class DeltaSums:
    """The running total of every series that sends increases.

    Beyond `most_series`, the ones that were silent longest begin at zero again, which queries
    see as a reset; so do all when the process starts.
    """

    def __init__(self, most_series: int = MOST_SERIES) -> None:
        self._most_series = most_series
        self._lock = Lock()
        self._last: dict[Labels, State] = {}

    @contextmanager
    def adding(self, deltas: DecodedMetrics) -> Iterator[Totals]:
        """Give the totals after some increases, and remember them if the block ends well."""
        with self._lock:
            fresh: dict[Labels, State] = {}
            totals, late = Totals(), 0
            rows = zip(deltas.labels, deltas.timestamps_ms, deltas.values, strict=True)
            for row, (series, time_ms, increase) in enumerate(rows):
                last_ms, total, held = fresh.get(series) or self._last.get(series) or _NEVER
                if time_ms <= last_ms:
                    late += 1
                    continue
                # A stale marker adds nothing, and is passed on as it is.
                stale = math.isnan(increase)
                after = total if stale else total + increase
                histogram = deltas.histograms.get(row)
                if histogram is not None:
                    stale = False
                    held = _added(held, histogram)
                    after = held.sum
                    totals.histograms[len(totals.labels)] = held
                fresh[series] = (time_ms, after, held)
                totals.labels.append(series)
                totals.timestamps_ms.append(time_ms)
                totals.values.append(increase if stale else after)
            yield replace(totals, late=late)
            self._remember(fresh)

    def _remember(self, fresh: dict[Labels, State]) -> None:
        for series, state in fresh.items():
            self._last.pop(series, None)
            self._last[series] = state
        while len(self._last) > self._most_series:
            del self._last[next(iter(self._last))]


def _added(total: NativeHistogram | None, increase: NativeHistogram) -> NativeHistogram:
    """Return a total after an increase, at the lower of both resolutions."""
    return increase if total is None else added(total, increase)[0]
