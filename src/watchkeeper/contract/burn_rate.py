"""How fast an error budget may burn before somebody is told.

Source: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.contract.alert import Urgency

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class BurnRate:
    """One limb of an alert: `budget_share` of the budget burnt within the long window, and the
    short window burning as fast, so that the alert ends soon after the errors do."""

    budget_share: float
    long_seconds: int
    short_seconds: int
    severity: Urgency

    def factor(self, window_days: int) -> float:
        """Return how many times faster the budget burns than one that lasts `window_days`."""
        return round(self.budget_share * window_days * DAY_SECONDS / self.long_seconds, 6)


WORKBOOK = (
    BurnRate(0.02, 3600, 300, Urgency.CRITICAL),
    BurnRate(0.05, 6 * 3600, 1800, Urgency.CRITICAL),
    BurnRate(0.10, DAY_SECONDS, 2 * 3600, Urgency.WARNING),
    BurnRate(0.10, 3 * DAY_SECONDS, 6 * 3600, Urgency.WARNING),
)
"""The workbook's table: factors 14.4, 6, 3 and 1 over 30 days."""


def window_name(seconds: int) -> str:
    """Return a window as PromQL writes it, in its largest whole unit."""
    for unit, size in (("d", DAY_SECONDS), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
