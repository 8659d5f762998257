"""How much a query may ask for, and the tally while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watchkeeper.clock import Clock
from watchkeeper.errors import QueryLimitError


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What one query may ask for at most.

    `samples` counts those read and those computed; `steps` are the moments of a range query
    (Prometheus allows 11,000); `series` those that one selector may bring; `label_characters`
    are those that label_replace, label_join and count_values may write in all. Without
    `experimental_functions`, what Prometheus has behind its flag of that name is refused.
    """

    samples: int = 50_000_000
    steps: int = 11_000
    series: int = 200_000
    label_characters: int = 50_000_000
    seconds: float = 120.0
    experimental_functions: bool = True


class Budget:
    """What a running query has left. Raises QueryLimitError when it is used up."""

    def __init__(
        self, limits: QueryLimits, clock: Clock, cancelled: Callable[[], bool] | None = None
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._cancelled = cancelled
        self._began_ns = clock.monotonic_ns()
        self._samples = 0
        self._characters = 0

    @property
    def samples(self) -> int:
        """How many samples were read or computed so far."""
        return self._samples

    def spend_samples(self, count: int) -> None:
        """Count samples that were read or are about to be computed."""
        self._samples += count
        if self._samples > self._limits.samples:
            raise QueryLimitError(
                f"the query touches more than {self._limits.samples} samples (at {self._samples}); "
                "ask for fewer series, a shorter range or a longer step"
            )

    def spend_characters(self, count: int) -> None:
        """Count characters that are about to be written into labels."""
        self._characters += count
        if self._characters > self._limits.label_characters:
            raise QueryLimitError(
                f"the query writes more than {self._limits.label_characters} characters into "
                f"labels (at {self._characters}); replace or join less"
            )

    def check_series(self, count: int, selector: str) -> None:
        """Refuse a selector that brings too many series."""
        if count > self._limits.series:
            raise QueryLimitError(
                f"{selector} selects {count} series, more than the limit of "
                f"{self._limits.series}; add matchers"
            )

    def check_steps(self, count: int) -> None:
        """Refuse a range query of too many steps."""
        if count > self._limits.steps:
            raise QueryLimitError(
                f"the range has {count} steps, more than the limit of {self._limits.steps}; "
                "take a longer step or a shorter range"
            )

    def check_time(self) -> None:
        """Stop a query that takes too long or that nobody waits for any more."""
        elapsed = (self._clock.monotonic_ns() - self._began_ns) / 1e9
        if elapsed > self._limits.seconds:
            raise QueryLimitError(
                f"the query took more than {self._limits.seconds:g} s and was stopped"
            )
        if self._cancelled is not None and self._cancelled():
            raise QueryLimitError("the query was cancelled")
