"""Instruments: the live objects that record a contract's metrics.

They never raise into the service: a wrong label or amount is a fault, counted. With a label
missing the value counts under `other`; a label nobody declared is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar, cast

from watchkeeper.contract import Metric
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.registry import Family
from watchkeeper.instrument.series import (
    CounterSeries,
    GaugeSeries,
    HistogramSeries,
    SummarySeries,
    Timer,
)

SeriesType = TypeVar("SeriesType", CounterSeries, GaugeSeries, HistogramSeries, SummarySeries)


class LiveMetric(Generic[SeriesType]):
    """What every instrument can do: give the series of a set of labels."""

    def __init__(self, family: Family, faults: Faults) -> None:
        self._family = family
        self._faults = faults

    @property
    def declaration(self) -> Metric:
        """What the contract says about it."""
        return self._family.declaration

    def labels(self, **labels: object) -> SeriesType:
        """Return the series of `labels`: resolve it once, use it often."""
        return self._of(labels)

    def _of(self, labels: Mapping[str, object]) -> SeriesType:
        try:
            return cast(SeriesType, self._family.resolve(labels))
        except Exception as error:  # noqa: BLE001 - never break the host
            self._faults.note("labels", error)
            return cast(SeriesType, self._family.surplus())


class LiveCounter(LiveMetric[CounterSeries]):
    """A counter of the contract."""

    def inc(self, amount: float = 1.0, /, **labels: object) -> None:
        """Add `amount`, 0 or more, to the series of `labels`."""
        self._of(labels).inc(amount)


class LiveGauge(LiveMetric[GaugeSeries]):
    """A gauge of the contract."""

    def set(self, value: float, /, **labels: object) -> None:
        """Make `value` the value of the series of `labels`."""
        self._of(labels).set(value)

    def inc(self, amount: float = 1.0, /, **labels: object) -> None:
        """Add `amount`."""
        self._of(labels).inc(amount)

    def dec(self, amount: float = 1.0, /, **labels: object) -> None:
        """Take `amount` away."""
        self._of(labels).dec(amount)

    def follow(self, callback: Callable[[], float], /, **labels: object) -> None:
        """Take the value from `callback` whenever somebody scrapes, and every second besides.

        The callback runs in another thread and must be quick. One that raises leaves the last
        value standing, and is counted.
        """
        self._of(labels).follow(callback)


class LiveHistogram(LiveMetric[HistogramSeries]):
    """A histogram of the contract."""

    def observe(self, value: float, /, **labels: object) -> None:
        """Count `value` into its bucket."""
        self._of(labels).observe(value)

    def time(self, **labels: object) -> Timer:
        """Observe how many seconds the block takes, also when it raises."""
        return self._of(labels).time()


class LiveSummary(LiveMetric[SummarySeries]):
    """A summary of the contract."""

    def observe(self, value: float, /, **labels: object) -> None:
        """Count and sum `value`."""
        self._of(labels).observe(value)

    def time(self, **labels: object) -> Timer:
        """Observe how many seconds the block takes, also when it raises."""
        return self._of(labels).time()
