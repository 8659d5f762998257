"""Rules over a querier that answers what a test says, and sinks that remember."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from watchkeeper.errors import QueryError
from watchkeeper.model import (
    METRIC_NAME,
    FiringAlert,
    Labels,
    Matcher,
    MatchOperator,
    SampleBatch,
    Series,
    labels,
)
from watchkeeper.ports import VectorSample
from watchkeeper.rules import EvaluationSettings, Evaluator, RuleGroup, load_rules
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.testing import FakeClock

ReadRules = Callable[[str], tuple[RuleGroup, ...]]


@pytest.fixture
def read_rules(tmp_path: Path) -> ReadRules:
    """Read a rule file given as text."""

    def read(text: str) -> tuple[RuleGroup, ...]:
        path = tmp_path / "rules.yml"
        path.write_text(text, encoding="utf-8")
        return load_rules([path])

    return read


@dataclass
class World:
    """What expressions give, what was written, and what was sent."""

    clock: FakeClock
    answers: dict[str, list[VectorSample] | str] = field(default_factory=dict)
    written: dict[Labels, list[tuple[int, float]]] = field(default_factory=dict)
    batches: list[SampleBatch] = field(default_factory=list)
    sent: list[FiringAlert] = field(default_factory=list)
    evaluator: Evaluator | None = None
    groups: tuple[RuleGroup, ...] = ()

    def say(self, expression: str, *samples: tuple[dict[str, str], float]) -> None:
        self.answers[expression] = [VectorSample(labels(pairs), value) for pairs, value in samples]

    def vector(self, expression: str, timestamp_ms: int) -> list[VectorSample]:
        answer = self.answers.get(expression, [])
        if isinstance(answer, str):
            raise QueryError(answer)
        return answer

    def append(self, batch: SampleBatch) -> int:
        self.batches.append(batch)
        rows = zip(batch.labels, batch.timestamps_ms, batch.values, strict=True)
        for series, timestamp_ms, value in rows:
            self.written.setdefault(series, []).append((int(timestamp_ms), float(value)))
        return 0

    def put(self, alerts: Iterable[FiringAlert]) -> None:
        self.sent.extend(alerts)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        assert all(matcher.operator is MatchOperator.EQUAL for matcher in matchers)
        return SeriesColumns.of(
            [
                Series(
                    series,
                    np.array([at for at, _ in rows if start_ms <= at <= end_ms], dtype=np.int64),
                    np.array([value for at, value in rows if start_ms <= at <= end_ms]),
                )
                for series, rows in sorted(self.written.items())
                if all(dict(series).get(item.name, "") == item.value for item in matchers)
            ]
        )

    def evaluate(self, after_seconds: float = 0) -> list[FiringAlert]:
        """Let time pass, evaluate every group, and return what was sent."""
        assert self.evaluator is not None
        self.clock.advance(after_seconds)
        before = len(self.sent)
        for group in self.groups:
            self.evaluator.evaluate_group(group, self.clock.time_ns())
        return self.sent[before:]

    def series(self, name: str, **more: str) -> list[float]:
        wanted = labels({METRIC_NAME: name, **more})
        return [value for _, value in self.written.get(wanted, [])]


StartWorld = Callable[..., World]


@pytest.fixture
def start_world(read_rules: ReadRules) -> StartWorld:
    """Start an evaluator; one with an older world finds what that one wrote."""

    def start(rules: str, older: World | None = None, **settings: object) -> World:
        world = World(older.clock if older else FakeClock())
        if older is not None:
            world.written, world.answers = older.written, older.answers
        world.groups = read_rules(rules)
        world.evaluator = Evaluator(
            world.groups,
            world,
            world,
            world,
            clock=world.clock,
            history=world if older is not None else None,
            settings=EvaluationSettings(
                interval_seconds=15, external_url="http://127.0.0.1:9400", **settings
            ),
        )
        return world

    return start
