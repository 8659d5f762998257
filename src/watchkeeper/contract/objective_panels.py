"""The dashboard that SLOs and budgets come with: what is left, how fast it goes, until when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchkeeper.contract.burn_rate import window_name
from watchkeeper.contract.cost_budget import CostBudget
from watchkeeper.contract.dashboard import Dashboard, Panel, PanelKind, Query, Row, Threshold
from watchkeeper.contract.slo import SLO

LEFT = (Threshold(0, "red"), Threshold(0.01, "orange"), Threshold(0.25, "green"))
PACE = (Threshold(0, "green"), Threshold(1, "orange"), Threshold(3, "red"))


def objectives_dashboard(
    service: str, slos: Sequence[SLO], budgets: Sequence[CostBudget]
) -> Dashboard:
    """Return a dashboard with a row for each SLO and each budget."""
    return Dashboard(
        uid=f"{service}-objectives",
        title=f"{service} - Objectives",
        description="Error budgets and budgets in money: what is left, and how fast it goes.",
        rows=(
            *(Row(f"SLO {slo.name}", tuple(_slo_panels(slo))) for slo in slos),
            *(Row(f"Budget {budget.name}", tuple(_budget_panels(budget))) for budget in budgets),
        ),
        range_seconds=24 * 3600,
        refresh_seconds=60,
    )


def _slo_panels(slo: SLO) -> Iterator[Panel]:
    def recorded(name: str) -> str:
        return f'{name}{{slo="{slo.name}"}}'

    yield _stat(
        "Error budget left",
        f"{slo.description} {slo.objective * 100:g} % over {slo.window_days} days;"
        " below 0 the objective is missed.",
        recorded("slo:period_error_budget_remaining:ratio"),
        "percentunit",
        LEFT,
    )
    yield _stat(
        "Burn rate now",
        "1 uses the budget up exactly by the end of the period.",
        recorded("slo:current_burn_rate:ratio"),
        "short",
        PACE,
    )
    yield _stat(
        "Budget lasts",
        "How long the budget lasts at the pace of the last hour; at most its whole period.",
        recorded("slo:error_budget_exhaustion:seconds"),
        "s",
        (Threshold(0, "red"), Threshold(3 * 86400, "orange"), Threshold(30 * 86400, "green")),
    )
    windows = dict.fromkeys(limb.long_seconds for limb in slo.burn_rates)
    yield Panel(
        title="Share of bad events",
        description="By window; each window has its own threshold in the alerts.",
        queries=tuple(
            Query(recorded(f"slo:sli_error:ratio_rate{window_name(seconds)}"), window_name(seconds))
            for seconds in windows
        ),
        unit="percentunit",
        height=6,
    )


def _budget_panels(budget: CostBudget) -> Iterator[Panel]:
    legend = " ".join(f"{{{{{label}}}}}" for label in budget.by) or "all"

    def recorded(name: str) -> str:
        return f'{name}{{budget="{budget.name}"}}'

    yield _stat(
        "Spent",
        f"Share of the {budget.amount:g} US dollars of {budget.period} for {budget.description}.",
        recorded("cost_budget:spent:ratio"),
        "percentunit",
        (Threshold(0, "green"), Threshold(0.75, "orange"), Threshold(1, "red")),
        legend,
    )
    yield _stat(
        "Pace",
        "1 spends the budget exactly within its period.",
        recorded("cost_budget:burn_rate:ratio"),
        "short",
        PACE,
        legend,
    )
    yield Panel(
        title="Spent and forecast",
        description="What the last period cost, and what it is going to cost half a period on.",
        queries=(
            Query(recorded("cost_budget:spent:total"), f"spent {legend}"),
            Query(recorded("cost_budget:forecast:total"), f"forecast {legend}"),
            Query(recorded("cost_budget:amount:total"), "budget"),
        ),
        unit="currencyUSD",
        height=6,
    )


def _stat(
    title: str,
    description: str,
    expression: str,
    unit: str,
    thresholds: tuple[Threshold, ...],
    legend: str = "",
) -> Panel:
    return Panel(
        title=title,
        description=description,
        kind=PanelKind.STAT,
        queries=(Query(expression, legend or title.lower()),),
        unit=unit,
        thresholds=thresholds,
        width=4,
        height=6,
    )
