"""Runbooks: what whoever is woken reads first."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.errors import ContractError


@dataclass(frozen=True, slots=True)
class Runbook:
    """What an alert means and the steps to take, in order, in Markdown."""

    alert: str
    meaning: str
    steps: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.meaning or not self.steps:
            raise ContractError(
                f"runbook of {self.alert}: say what the alert means and what to do, step by step"
            )
