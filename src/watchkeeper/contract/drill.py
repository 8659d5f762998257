"""Drills: real faults, put in on purpose, that prove alerts."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.errors import ContractError


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A fault by the name it is asked for, what goes wrong, and the alerts that must fire."""

    name: str
    help: str
    proves: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.help or not self.proves:
            raise ContractError(
                f"drill {self.name}: say what goes wrong, and which alerts it proves"
            )
