"""Instruments: the live objects that record a contract's metrics."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager


class LiveCounter:
    """A counter of the contract."""

    def inc(self, amount: float = 1.0, **labels: object) -> None:
        """Add `amount`, which must not be negative, to the series of `labels`."""
        raise NotImplementedError

    def labels(self, **labels: object) -> LiveCounter:
        """Return the child of `labels`: resolve it once, use it often."""
        raise NotImplementedError


class LiveGauge:
    """A gauge of the contract."""

    def set(self, value: float, **labels: object) -> None:
        """Make `value` the value of the series of `labels`."""
        raise NotImplementedError

    def inc(self, amount: float = 1.0, **labels: object) -> None:
        """Add `amount`."""
        raise NotImplementedError

    def dec(self, amount: float = 1.0, **labels: object) -> None:
        """Take `amount` away."""
        raise NotImplementedError

    def labels(self, **labels: object) -> LiveGauge:
        """Return the child of `labels`: resolve it once, use it often."""
        raise NotImplementedError

    def follow(self, callback: Callable[[], float], **labels: object) -> None:
        """Take the value from `callback` whenever somebody scrapes."""
        raise NotImplementedError


class LiveHistogram:
    """A histogram of the contract."""

    def observe(self, value: float, **labels: object) -> None:
        """Count `value` into its bucket."""
        raise NotImplementedError

    def labels(self, **labels: object) -> LiveHistogram:
        """Return the child of `labels`: resolve it once, use it often."""
        raise NotImplementedError

    def time(self, **labels: object) -> AbstractContextManager[None]:
        """Observe how many seconds the block takes, also when it raises."""
        raise NotImplementedError


class LiveSummary:
    """A summary of the contract."""

    def observe(self, value: float, **labels: object) -> None:
        """Count and sum `value`."""
        raise NotImplementedError

    def labels(self, **labels: object) -> LiveSummary:
        """Return the child of `labels`: resolve it once, use it often."""
        raise NotImplementedError

    def time(self, **labels: object) -> AbstractContextManager[None]:
        """Observe how many seconds the block takes, also when it raises."""
        raise NotImplementedError
