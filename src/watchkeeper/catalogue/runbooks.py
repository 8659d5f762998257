"""The runbooks of a contract as one Markdown document: a section an alert."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.contract import Contract


def runbooks(contract: Contract) -> str:
    """Return the Markdown: what each alert means, and what to do.

    Sections are named as alerts lead to them: by the alert, and for objectives and budgets by
    `slo-NAME` and `budget-NAME`.
    """
    lines = [
        f"# Runbooks of {contract.service}",
        "",
        "Rendered from the contract by `watchkeeper docs`: change the contract instead.",
        *_sections(contract),
    ]
    return "\n".join(lines) + "\n"


def _sections(contract: Contract) -> Iterator[str]:
    for runbook in contract.runbooks:
        yield from ("", f"## {runbook.alert}", "", runbook.meaning, "")
        yield from (f"{number}. {step}" for number, step in enumerate(runbook.steps, 1))
    for slo in contract.slos:
        yield from ("", f"## slo-{slo.name}", "")
        yield (
            f"{slo.description} That is promised for {slo.objective * 100:g} % over"
            f" {slo.window_days} days, and the budget for the rest burns."
        )
        yield from (
            "",
            "1. *Objectives* says what is left and how long it lasts at this pace.",
            "2. A page: stop the burning first. A ticket: find what fails all the time.",
            "3. Nothing left: no risky deploys until the panel is above zero again.",
        )
    for budget in contract.budgets:
        yield from ("", f"## budget-{budget.name}", "")
        yield (
            f"{budget.amount:g} US dollars are planned in {budget.period} for"
            f" {budget.description}; they are spent, or going to be."
        )
        yield from (
            "",
            "1. *Objectives* says what is spent, how fast, and where it leads.",
            "2. Whose spending is it? Lower that limit, choose what is cheaper, or plan more.",
        )
