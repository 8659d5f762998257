"""A difference between what was seen and what is declared, and how a list of them is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What is different."""

    UNDECLARED = "undeclared"
    WRONG_TYPE = "wrong type"
    WRONG_LABEL = "wrong label"
    UNDECLARED_VALUE = "undeclared value"
    TOO_MANY_VALUES = "too many values"
    NEVER_SEEN = "never seen"

    @property
    def breaks(self) -> bool:
        """Whether the contract forbids it; what was never seen may only not have happened."""
        return self is not Kind.NEVER_SEEN


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `label` is '' where it is about the metric as a whole."""

    kind: Kind
    metric: str
    detail: str
    label: str = ""

    def __str__(self) -> str:
        place = f"{self.metric}{{{self.label}}}" if self.label else self.metric
        return f"{self.kind}: {place}: {self.detail}"


def as_text(differences: Sequence[Difference], series: int) -> str:
    """Return a line a difference, what breaks the contract first, and a sentence on the whole."""
    lines = [str(one) for one in sorted(differences, key=lambda one: not one.kind.breaks)]
    broken = sum(one.kind.breaks for one in differences)
    unseen = len(differences) - broken
    lines.append(
        f"{series} series seen: {broken or 'no'} difference{'' if broken == 1 else 's'} from"
        f" the contract, {unseen or 'none'} never seen"
    )
    return "\n".join(lines)


def as_data(differences: Sequence[Difference], series: int) -> dict[str, Any]:
    """Return the same as JSON holds it."""
    return {"series_seen": series, "differences": [asdict(one) for one in differences]}
