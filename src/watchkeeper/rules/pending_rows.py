"""What the rules of a group gave and is not written yet: one append is dearer than many rows."""

from __future__ import annotations

from watchkeeper.model import Labels
from watchkeeper.ports import SampleSink
from watchkeeper.rules.rule import AlertingRule, RecordingRule, Rule
from watchkeeper.rules.sample_rows import Rows, batch

_ALERTS = "ALERTS"
_ANY_NAME = ("__name__", '{"', "{'", "{`")
"""How an expression names series otherwise than plainly: it may read anything."""
_ASKING = "query"
"""The template function that reads series."""


class PendingRows:
    """Rows of one moment, by the position of their rule in its group."""

    def __init__(self, samples: SampleSink, timestamp_ms: int) -> None:
        self._samples = samples
        self._timestamp_ms = timestamp_ms
        self._names: set[str] = set()
        self._rows: Rows = {}
        self._vanished: set[Labels] = set()
        self.by_position: dict[int, Rows] = {}

    def put(self, position: int, rule: Rule, rows: Rows, vanished: set[Labels]) -> None:
        """Take what a rule gave, and the series that it gave before and does not any more."""
        if not rows and not vanished:
            return
        self.by_position[position] = rows
        self._names.add(rule.name if isinstance(rule, RecordingRule) else _ALERTS)
        self._rows |= rows
        self._vanished |= vanished

    def are_read_by(self, rule: Rule) -> bool:
        """Whether a rule may read what waits: its text names it, or may mean anything."""
        return bool(self._names) and any(
            part in text for text in _texts(rule) for part in (*self._names, *_ANY_NAME)
        )

    def hold(self, rows: Rows) -> bool:
        """Whether a series of `rows` waits already: only the store may tell which is kept."""
        return not self._rows.keys().isdisjoint(rows)

    def write(self) -> None:
        """Append everything and begin anew. Raises what the sink raises."""
        if self._rows or self._vanished:
            self._samples.append(batch(self._rows, self._vanished, self._timestamp_ms))
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._names, self._rows, self._vanished = set(), {}, set()
        self.by_position = {}


def _texts(rule: Rule) -> list[str]:
    texts = [rule.expression]
    if isinstance(rule, AlertingRule):
        templates = (*rule.labels.values(), *rule.annotations.values())
        texts += [one.source for one in templates if _ASKING in one.source]
    return texts
