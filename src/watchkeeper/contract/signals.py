"""Signals: the metrics, spans and log events that belong together."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.contract.event import LogEvent
from watchkeeper.contract.metric import Metric
from watchkeeper.contract.span import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """A set of signals that belong together, such as a convention declares."""

    metrics: tuple[Metric, ...] = ()
    spans: tuple[Span, ...] = ()
    events: tuple[LogEvent, ...] = ()

    def __add__(self, other: Signals) -> Signals:
        """Return both sets as one."""
        return Signals(
            metrics=self.metrics + other.metrics,
            spans=self.spans + other.spans,
            events=self.events + other.events,
        )


NO_SIGNALS = Signals()
