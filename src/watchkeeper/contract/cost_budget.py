"""Budgets in money: what may be spent in a period, by whom, and for what."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.contract.alert import Urgency
from watchkeeper.contract.burn_rate import DAY_SECONDS
from watchkeeper.contract.events import Events
from watchkeeper.contract.metric import Counter
from watchkeeper.contract.slo import NAME
from watchkeeper.errors import ContractError

MOST_DAYS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBudget:
    """`amount` of money that may be spent in any `period_days` days (a rolling period), as the
    counter `cost` tells. With `by`, each value of those labels (a tenant, a feature) has a
    budget of its own.

    From it come series of what is spent, how fast and where it leads, a row of panels, and two
    alerts: `...Spent` when the budget is gone, `...AtRisk` when it is going to be. `runbook` is by
    default the section `budget-NAME` of docs/runbooks.md.
    """

    name: str
    description: str
    cost: Events
    amount: float
    period_days: int = 1
    by: tuple[str, ...] = ()
    severity: Urgency = Urgency.WARNING
    runbook: str = ""
    drill: str = ""

    def __post_init__(self) -> None:
        if not NAME.match(self.name):
            raise ContractError(
                f"budget {self.name!r}: a name is lower-case words joined by hyphens"
            )
        if not self.description:
            raise ContractError(f"budget {self.name}: say in `description` what is paid for")
        if not isinstance(self.cost.metric, Counter):
            raise ContractError(f"budget {self.name}: {self.cost.metric.name} is no counter")
        if not self.amount > 0:
            raise ContractError(f"budget {self.name}: amount must be above 0")
        if not 1 <= self.period_days <= MOST_DAYS:
            raise ContractError(f"budget {self.name}: period_days is 1 to {MOST_DAYS}")
        for label in self.by:
            if label not in self.cost.metric.label_names:
                raise ContractError(
                    f"budget {self.name}: {self.cost.metric.name} has no label {label};"
                    f" its labels are: {', '.join(self.cost.metric.label_names)}"
                )

    @property
    def period_seconds(self) -> int:
        """The period in seconds."""
        return self.period_days * DAY_SECONDS

    @property
    def period(self) -> str:
        """The period in words."""
        return "a day" if self.period_days == 1 else f"{self.period_days} days"

    def alert_name(self, what: str) -> str:
        """Return the name of an alert: `LlmDailySpent`."""
        return "".join(word.capitalize() for word in self.name.split("-")) + what
