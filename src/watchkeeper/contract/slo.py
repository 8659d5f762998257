"""Service level objectives: how good a service means to be, and when it must be told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchkeeper.contract.alert import Urgency
from watchkeeper.contract.burn_rate import DAY_SECONDS, WORKBOOK, BurnRate, window_name
from watchkeeper.contract.indicator import Latency, Ratio
from watchkeeper.errors import ContractError

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
MOST_DAYS = 90
LEAST_DAYS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class SLO:
    """The share of events that must be good (`objective`, 0 to 1) over `window_days`.

    From it come recording rules for every window, an alert that pages while the budget burns
    fast and one that asks for a ticket while it burns slowly, and a row of panels. A limb does
    not fire below `minimum_events` in its long window: one failure of three requests at night is
    no outage. `drill` names the fault that proves the page. `runbook` is by default the section
    `slo-NAME` of docs/runbooks.md.

    Raises ContractError for a limb that could never fire: when `factor * (1 - objective)`
    reaches 1, not even every event being bad exceeds it.
    """

    name: str
    description: str
    objective: float
    indicator: Ratio | Latency
    window_days: int = 30
    burn_rates: tuple[BurnRate, ...] = WORKBOOK
    minimum_events: int = 10
    runbook: str = ""
    drill: str = ""

    def __post_init__(self) -> None:
        if not NAME.match(self.name):
            raise ContractError(f"SLO {self.name!r}: a name is lower-case words joined by hyphens")
        if not self.description:
            raise ContractError(f"SLO {self.name}: say in `description` what is promised")
        if not 0 < self.objective < 1:
            raise ContractError(
                f"SLO {self.name}: objective {self.objective:g} must lie between 0 and 1"
                " (0.999 is 99.9 %)"
            )
        if not LEAST_DAYS <= self.window_days <= MOST_DAYS:
            raise ContractError(
                f"SLO {self.name}: window_days is {LEAST_DAYS} to {MOST_DAYS}: over fewer days a"
                " budget that is used up as planned would raise alerts"
            )
        if not self.burn_rates:
            raise ContractError(f"SLO {self.name}: without burn_rates nobody is ever told")
        for limb in self.burn_rates:
            self._require_alive(limb)

    def _require_alive(self, limb: BurnRate) -> None:
        factor = limb.factor(self.window_days)
        threshold = factor * self.budget
        if threshold < 1:
            return
        raise ContractError(
            f"SLO {self.name}: its {limb.severity} alert over {window_name(limb.long_seconds)}"
            f" wants an error ratio above {factor:g} * {self.budget:g} = {threshold:.4g}, which"
            f" cannot be: no ratio is above 1. Ask for an objective above {1 - 1 / factor:.2%},"
            f" or leave that limb out of burn_rates"
        )

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return round(1 - self.objective, 12)

    @property
    def window_seconds(self) -> int:
        """The whole period of the budget."""
        return self.window_days * DAY_SECONDS

    @property
    def severities(self) -> tuple[Urgency, ...]:
        """The severities of its alerts, in the order of their limbs."""
        return tuple(dict.fromkeys(limb.severity for limb in self.burn_rates))

    def alert_name(self, severity: Urgency) -> str:
        """Return the name of its alert of a severity: `CheckoutFastBurn`."""
        words = "".join(word.capitalize() for word in self.name.split("-"))
        return words + ("FastBurn" if severity is Urgency.CRITICAL else "SlowBurn")
