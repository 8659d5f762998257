"""A contract's rules over made-up traffic, evaluated minute by minute by the product's engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from watchkeeper.contract import Contract
from watchkeeper.matching import matches
from watchkeeper.model import METRIC_NAME, FiringAlert, Labels, Matcher, SampleBatch, Series, labels
from watchkeeper.promql import Engine, parse
from watchkeeper.render import documents
from watchkeeper.rules import AlertState, Evaluator, load_rules
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.testing import FakeClock

PerMinute = Callable[[int], float]


MOST_SAMPLES = 4000


class _Column:
    """The samples of one series."""

    def __init__(self) -> None:
        self.times = np.zeros(MOST_SAMPLES, dtype=np.int64)
        self.values = np.zeros(MOST_SAMPLES)
        self.count = 0

    @property
    def last(self) -> float:
        return float(self.values[self.count - 1])


class Simulation:
    """Counters that grow as told, and what the contract's rules make of them."""

    def __init__(self, rule_file: Path) -> None:
        self._columns: dict[Labels, _Column] = {}
        self._growth: dict[Labels, PerMinute] = {}
        self._minute = 0
        clock = FakeClock()
        self._engine = Engine(self, clock=clock)
        self._groups = load_rules([rule_file], parse=parse)
        self._evaluator = Evaluator(self._groups, self._engine, self, self, clock=clock)
        self.firing: dict[str, list[int]] = {}

    def counter(self, name: str, per_minute: PerMinute, **own: str) -> None:
        """Let a counter grow by `per_minute(minute)` from now on."""
        series = labels({METRIC_NAME: name, **own})
        self._growth[series] = per_minute
        self._write(series, self._minute * 60_000, 0.0)

    def run(self, minutes: int, every: int = 1) -> None:
        """Let time pass; rules are evaluated every `every` minutes."""
        for _ in range(minutes):
            self._minute += 1
            for series, per_minute in self._growth.items():
                total = self._columns[series].last + per_minute(self._minute)
                self._write(series, self._minute * 60_000, total)
            if self._minute % every == 0:
                self._evaluate()

    def value(self, expression: str) -> float | None:
        """Return the one value that an expression has now, or None."""
        result = self._engine.instant(expression, self._minute * 60_000)
        values = result.values[result.present]
        assert values.size <= 1, f"{expression} has {values.size} values"
        return float(values[0]) if values.size else None

    def first(self, alert: str) -> int | None:
        """Return the minute in which an alert first fired."""
        return self.firing.get(alert, [None])[0]

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        found = []
        for series, column in self._columns.items():
            if matches(series, tuple(matchers)):
                times = column.times[: column.count]
                inside = slice(*np.searchsorted(times, [start_ms, end_ms + 1]))
                if times[inside].size:
                    found.append(Series(series, times[inside], column.values[inside]))
        return SeriesColumns.of(found)

    def append(self, batch: SampleBatch) -> int:
        rows = zip(batch.labels, batch.timestamps_ms.tolist(), batch.values.tolist(), strict=True)
        for series, time_ms, value in rows:
            self._write(series, time_ms, value)
        return 0

    def put(self, alerts: Iterable[FiringAlert]) -> None:
        """Take alerts and tell nobody."""

    def _write(self, series: Labels, time_ms: int, value: float) -> None:
        column = self._columns.setdefault(series, _Column())
        column.times[column.count] = time_ms
        column.values[column.count] = value
        column.count += 1

    def _evaluate(self) -> None:
        for group in self._groups:
            self._evaluator.evaluate_group(group, self._minute * 60_000_000_000)
        for group in self._evaluator.groups():
            for rule in group.rules:
                assert not rule.last_error, f"{rule.name}: {rule.last_error}"
                if any(alert.state is AlertState.FIRING for alert in rule.alerts):
                    self.firing.setdefault(rule.name, []).append(self._minute)


@pytest.fixture
def simulate(tmp_path: Path) -> Callable[[Contract], Simulation]:
    """Start a simulation of the rules that a contract renders to."""

    def start(contract: Contract) -> Simulation:
        path = tmp_path / "rules.yml"
        rules = f"prometheus/rules/{contract.service}.yml"
        (text,) = (one.text for one in documents(contract) if str(one.path) == rules)
        path.write_text(text, encoding="utf-8")
        return Simulation(path)

    return start
