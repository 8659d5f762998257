"""Labels: what may tell one series of a metric from another."""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchkeeper.errors import ContractError

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
OTHER = "other"
"""The value that undeclared or surplus values fold into."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label and the values it may take: a closed list, or an open set with a limit.

    With `values` every other value folds into `other`. Without, values are taken as they come,
    if `pattern` (a regular expression, matched whole) allows them, up to `limit` of them; the
    rest folds into `other`.
    """

    name: str
    values: tuple[str, ...] = ()
    pattern: str = ""
    limit: int = 100

    def __post_init__(self) -> None:
        if not NAME.match(self.name) or self.name.startswith("__"):
            raise ContractError(
                f"label {self.name!r}: a name is letters, digits and underscores, "
                "does not begin with a digit or two underscores"
            )
        if self.values and self.pattern:
            raise ContractError(f"label {self.name!r}: give values or a pattern, not both")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ContractError(
                f"label {self.name!r}: {self.pattern!r} is no regular expression: {error}"
            ) from None
        if len(set(self.values)) != len(self.values):
            raise ContractError(f"label {self.name!r}: a value is listed twice")
        if self.limit < 1:
            raise ContractError(f"label {self.name!r}: limit must be at least 1")

    @property
    def most_values(self) -> int:
        """How many values series of this label can have at the worst, `other` among them."""
        return (len(self.values) or self.limit) + 1
