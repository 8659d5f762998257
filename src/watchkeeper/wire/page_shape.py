"""The shape of a target's page: all of it but the values, which alone change as a rule.

A page of the shape of the last one is read as columns: nothing is looked up or built for a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol

from watchkeeper.model import Labels, MetricMetadata
from watchkeeper.wire.family import ParsedExposition


class ValueRules(Protocol):
    """What a format demands of values."""

    def hold(self, values: Sequence[float]) -> bool:
        """Tell whether the values of a page's samples, in their order, are as they must be."""
        ...


class PageShape:
    """A page of comments, and of lines that are a series, one space and a value.

    `series` holds the text of the series by line number; the other lines are comments. `known`
    says what series mean, None being dropped. `rules`, if there are any, must hold of a page's
    values.
    """

    __slots__ = (
        "_beginnings",
        "_comments",
        "_kept",
        "_labels",
        "_metadata",
        "_pick",
        "_pick_comments",
        "_rules",
    )

    def __init__(
        self,
        lines: Sequence[str],
        series: Mapping[int, str],
        known: Mapping[str, Labels | None],
        metadata: list[MetricMetadata],
        rules: ValueRules | None = None,
    ) -> None:
        self._beginnings = [
            f"{series[row]} " if row in series else line for row, line in enumerate(lines)
        ]
        self._pick = _picking(list(series))
        self._pick_comments = _picking([row for row in range(len(lines)) if row not in series])
        self._comments = self._pick_comments(lines)
        self._rules = rules
        found = [known[text] for text in series.values()]
        self._labels = [labels for labels in found if labels is not None]
        self._kept = (
            None
            if len(self._labels) == len(found)
            else [place for place, labels in enumerate(found) if labels is not None]
        )
        self._metadata = metadata

    def read(self, lines: Sequence[str], default_timestamp_ms: int) -> ParsedExposition | None:
        """Return what a page of this shape holds; None if it has another, or is faulty.

        The list of label sets is the same each time: whoever gets it must not change it.
        """
        if len(lines) != len(self._beginnings) or self._pick_comments(lines) != self._comments:
            return None
        # A series leaves its value; a line of another one is left whole, and no number.
        texts = self._pick(list(map(str.removeprefix, lines, self._beginnings)))
        # float() takes more than the formats allow.
        joined = "".join(texts)
        if "_" in joined or " " in joined or not joined.isascii():
            return None
        try:
            values = list(map(float, texts))
        except ValueError:
            return None
        if self._rules is not None and not self._rules.hold(values):
            return None
        received = len(values)
        if self._kept is not None:
            values = [values[place] for place in self._kept]
        times = [default_timestamp_ms] * len(values)
        return ParsedExposition(
            self._labels, times, values, metadata=self._metadata, received=received
        )


def _picking(rows: Sequence[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Return what picks some places of a sequence."""
    if len(rows) > 1:
        pick: Any = itemgetter(*rows)
        return pick  # type: ignore[no-any-return]
    return lambda texts: [texts[row] for row in rows]
