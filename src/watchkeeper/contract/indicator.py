"""Service level indicators: which events there are, and which of them were bad."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from watchkeeper.contract.events import Events, require_matchers, select
from watchkeeper.contract.metric import Histogram, Metric
from watchkeeper.errors import ContractError
from watchkeeper.wire.family import format_bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The share of `total` events that were `bad`, or that were not `good`: give one of them."""

    total: Events
    bad: Events | None = None
    good: Events | None = None

    def __post_init__(self) -> None:
        if (self.bad is None) == (self.good is None):
            raise ContractError(f"ratio over {self.total.selector}: give either bad or good")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that it reads."""
        parts = (self.total, self.bad, self.good)
        return tuple(dict.fromkeys(part.metric for part in parts if part is not None))

    def events(self, window: str) -> str:
        """Return PromQL: how many events there were over `window`."""
        return f"sum(increase({self.total.selector}[{window}]))"

    def bad_events(self, window: str) -> str:
        """Return PromQL: how many were bad; zero where none has been seen, absent without any
        event's series."""
        total = self.events(window)
        if self.bad is not None:
            return f"sum(increase({self.bad.selector}[{window}])) or 0 * {total}"
        assert self.good is not None
        return _without(total, f"sum(increase({self.good.selector}[{window}]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The share of a histogram's observations that took longer than `threshold_seconds`.

    Raises ContractError if the threshold is not the bound of a bucket: nothing could tell how
    many observations lie below it.
    """

    histogram: Histogram
    threshold_seconds: float
    matchers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_matchers(self.histogram, self.matchers)
        buckets = self.histogram.buckets
        if self.threshold_seconds not in buckets:
            place = bisect_left(buckets, self.threshold_seconds)
            near = " and ".join(f"{bound:g}" for bound in buckets[max(0, place - 1) : place + 1])
            raise ContractError(
                f"{self.histogram.name} has no bucket that ends at {self.threshold_seconds:g} s,"
                f" so nothing tells what took longer; the bounds beside it: {near}"
            )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that it reads."""
        return (self.histogram,)

    def events(self, window: str) -> str:
        """Return PromQL: how many observations there were over `window`."""
        return f"sum(increase({select(f'{self.histogram.name}_count', self.matchers)}[{window}]))"

    def bad_events(self, window: str) -> str:
        """Return PromQL: how many were above the threshold."""
        bound = f'le="{format_bound(self.threshold_seconds)}"'
        bucket = select(f"{self.histogram.name}_bucket", (*self.matchers, bound))
        return _without(self.events(window), f"sum(increase({bucket}[{window}]))")


def _without(total: str, good: str) -> str:
    """Return PromQL: `total` less `good`; without a series of good events all are bad."""
    return f"clamp_min({total} - ({good} or 0 * {total}), 0)"
