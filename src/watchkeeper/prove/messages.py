"""What an alert's annotations say the first time that it fires."""

from __future__ import annotations

import re

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.model import Labels
from watchkeeper.ports import VectorSample
from watchkeeper.prove.timeline import Outcome
from watchkeeper.rules.expansion import Surroundings, expand
from watchkeeper.rules.rule import AlertingRule

VALUE = re.compile(r"\$value|\.Value")


class _NoQueries:
    """Answers no query: annotations that ask some are not compared (ports.Querier)."""

    def vector(self, expression: str, timestamp_ms: int) -> list[VectorSample]:
        """Refuse."""
        raise QueryError("not asked here")


class Messages:
    """The texts of one rule."""

    def __init__(self, rule: AlertingRule) -> None:
        self._rule = rule
        self._uses_value = any(
            VALUE.search(one.source) for one in (*rule.annotations.values(), *rule.labels.values())
        )

    def of(self, outcome: Outcome) -> dict[Labels, tuple[Labels, Labels]]:
        """Return labels and annotations of each alert at its first firing, by its own labels."""
        if not self._uses_value:
            return {}
        found = {}
        for key, row in outcome.firing.items():
            value = float(outcome.values[key][int(np.argmax(row))])
            surroundings = Surroundings(_NoQueries(), {}, "")
            sample = VectorSample(key, value)
            found[key] = expand(self._rule, sample, surroundings, surroundings.functions(0))
        return found
