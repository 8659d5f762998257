"""Log events: the lines a service promises to write."""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchkeeper.errors import ContractError
from watchkeeper.model import Severity

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a log event. `type` is str, int, float or bool; a sensitive value never
    leaves the process."""

    name: str
    type: type[str] | type[int] | type[float] | type[bool] = str
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A log line by name, level, message and fields. The message is constant: what varies
    belongs into fields."""

    name: str
    message: str
    severity: Severity = Severity.INFO
    fields: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        if not NAME.match(self.name):
            raise ContractError(f"log event {self.name!r}: a name is lower_snake_case")
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ContractError(f"log event {self.name}: a field is declared twice")
