"""Runs rule tests: promtool's `test rules`, with the same verdicts.

The rules are evaluated from the epoch on, at every `evaluation_interval`, over series that are
put in as time goes by; alerts and expressions are then compared with what the file expects.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from watchkeeper.check.rule_test_file import (
    AlertTest,
    ExpectedSample,
    ExpressionTest,
    RuleTest,
    RuleTestFile,
    load_rule_tests,
    rule_paths,
)
from watchkeeper.check.rule_test_series import Nobody, TestSeries
from watchkeeper.clock import Clock
from watchkeeper.errors import ConfigError, QueryError, WatchkeeperError
from watchkeeper.model import CounterReset, Labels, NativeHistogram, labels
from watchkeeper.promql import Engine, Result, ResultType, parse
from watchkeeper.promql.native_histogram import compacted
from watchkeeper.promql.native_notation import parse_histogram
from watchkeeper.promql.series_notation import split_metric
from watchkeeper.rules import (
    AlertState,
    EvaluationSettings,
    Evaluator,
    Health,
    RuleGroup,
    load_rules,
)

CLOSE = 1e-12
"""How far values may lie apart where a file asks for `fuzzy_compare`, relative to their size."""

Alert = tuple[Labels, Labels]
"""Labels and annotations."""
Sample = tuple[Labels, float | NativeHistogram]


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not as a test file says."""

    where: str
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        if not self.expected and not self.found:
            return self.where
        return f"{self.where}\n    expected: {self.expected}\n    found:    {self.found}"


def test_rules(path: Path, *, clock: Clock) -> list[Failure]:
    """Run one file and return what is wrong; nothing if all is as it says.

    Raises ConfigError if the file or a rule file that it names cannot be used.
    """
    file = load_rule_tests(path)
    groups = _ordered(load_rules(rule_paths(file, path), parse=parse), file)
    failures: list[Failure] = []
    for number, test in enumerate(file.tests or []):
        name = test.name or f"test {number + 1}"
        run = _Run(file, test, groups, clock)
        failures += [replace(one, where=f"{name}: {one.where}") for one in run.failures()]
    return failures


test_rules.__test__ = False  # type: ignore[attr-defined]  # its name is promtool's, not pytest's


def _ordered(groups: Sequence[RuleGroup], file: RuleTestFile) -> list[RuleGroup]:
    """Return the groups in the order that the file asks for, the others first."""
    order = file.group_eval_order or []
    unknown = set(order) - {group.name for group in groups}
    if unknown or len(set(order)) != len(order):
        raise ConfigError(
            f"names groups twice or that no rule file has: {sorted(unknown)}",
            path="$.group_eval_order",
        )
    return sorted(groups, key=lambda group: order.index(group.name) if group.name in order else -1)


class _Run:
    """One test: its series, its evaluations, its comparisons."""

    def __init__(
        self, file: RuleTestFile, test: RuleTest, groups: Sequence[RuleGroup], clock: Clock
    ) -> None:
        self._file, self._test, self._groups = file, test, groups
        self._series = TestSeries()
        self._engine = Engine(self._series, clock=clock)
        self._evaluator = Evaluator(
            groups,
            self._engine,
            self._series,
            Nobody(),
            clock=clock,
            settings=EvaluationSettings(
                interval_seconds=float(file.evaluation_interval),
                external_url=test.external_url,
                external_labels=test.external_labels or {},
            ),
        )

    def failures(self) -> list[Failure]:
        gap_ms = round(float(self._test.interval or self._file.evaluation_interval) * 1000)
        try:
            for one in self._test.input_series or []:
                self._series.put(f"{one.series} {one.values}", gap_ms)
        except QueryError as error:
            return [Failure(f"input_series: {error}")]
        found: list[Failure] = []
        step_ms = round(float(self._file.evaluation_interval) * 1000)
        last_ms = round(self._test.last_moment_seconds * 1000)
        for now_ms in range(0, last_ms + 1, step_ms):
            broken = self._evaluate(now_ms)
            if broken:
                return [*found, *broken]
            for asked in self._test.alerts:
                if now_ms <= round(asked.eval_time * 1000) < now_ms + step_ms:
                    found += self._about_alerts(asked)
        self._series.until_ms = last_ms
        for expression in self._test.expressions:
            found += self._about_expression(expression)
        return found

    def _evaluate(self, now_ms: int) -> list[Failure]:
        """Let every rule see this moment; return those that could not be evaluated."""
        self._series.until_ms = now_ms
        for group in self._groups:
            self._evaluator.evaluate_group(group, now_ms * 1_000_000)
        return [
            Failure(f"rule {rule.name}, time {now_ms / 1000:g}s: {rule.last_error}")
            for group in self._evaluator.groups()
            for rule in group.rules
            if rule.health is Health.ERROR
        ]

    def _about_alerts(self, asked: AlertTest) -> list[Failure]:
        found = sorted(
            (alert.labels, alert.annotations)
            for group in self._evaluator.groups()
            for rule in group.rules
            if rule.kind == "alerting" and rule.name == asked.alertname
            for alert in rule.alerts
            if alert.state is AlertState.FIRING
        )
        expected = sorted(_expected_alerts(asked))
        if found == expected:
            return []
        where = f"alertname: {asked.alertname}, time: {asked.eval_time}"
        return [Failure(where, _alerts(expected), _alerts(found))]

    def _about_expression(self, asked: ExpressionTest) -> list[Failure]:
        where = f"expr: {asked.expr!r}, time: {asked.eval_time}"
        try:
            result = self._engine.instant(asked.expr, round(asked.eval_time * 1000))
            found = _by_labels(_samples(result))
            expected = _by_labels(_expected_sample(one) for one in asked.exp_samples or [])
        except WatchkeeperError as error:
            return [Failure(f"{where}: {error}")]
        same = len(found) == len(expected) and all(
            mine[0] == yours[0] and self._same(mine[1], yours[1])
            for mine, yours in zip(found, expected, strict=True)
        )
        return [] if same else [Failure(where, _shown(expected), _shown(found))]

    def _same(self, one: float | NativeHistogram, other: float | NativeHistogram) -> bool:
        if isinstance(one, NativeHistogram) or isinstance(other, NativeHistogram):
            return one == other
        if self._file.fuzzy_compare and math.isclose(one, other, rel_tol=CLOSE):
            return True
        return one == other


def _expected_alerts(asked: AlertTest) -> Iterator[Alert]:
    for one in asked.exp_alerts or []:
        own = {name: _text(value) for name, value in (one.exp_labels or {}).items()}
        texts = {name: _text(value) for name, value in (one.exp_annotations or {}).items()}
        yield labels({**own, "alertname": asked.alertname}), tuple(sorted(texts.items()))


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _expected_sample(one: ExpectedSample) -> Sample:
    metric, rest = split_metric(one.labels or "{}")
    if rest.strip():
        raise QueryError(f"these are not labels: {one.labels!r}")
    if one.histogram:
        return metric, _bare(
            parse_histogram(one.histogram.strip().removeprefix("{{").removesuffix("}}"))
        )
    try:
        return metric, float(one.value)
    except ValueError:
        raise QueryError(f"this is not a value: {one.value!r}") from None


def _bare(histogram: NativeHistogram) -> NativeHistogram:
    return replace(compacted(histogram), reset=CounterReset.UNKNOWN)


def _samples(result: Result) -> Iterator[Sample]:
    if result.type not in (ResultType.VECTOR, ResultType.SCALAR):
        raise QueryError(f"a test needs a vector or a scalar, this is a {result.type}")
    for row, metric in enumerate(result.labels):
        if result.present[row, 0]:
            native = None if result.histograms is None else result.histograms[row, 0]
            yield metric, float(result.values[row, 0]) if native is None else _bare(native)


def _by_labels(samples: Iterator[Sample]) -> list[Sample]:
    return sorted(samples, key=lambda sample: sample[0])


def _alerts(alerts: Sequence[Alert]) -> str:
    return ", ".join(f"{_braced(own)} {_braced(texts)}" for own, texts in alerts) or "no alert"


def _shown(samples: Sequence[Sample]) -> str:
    return ", ".join(f"{_braced(metric)} {value}" for metric, value in samples) or "nothing"


def _braced(pairs: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in pairs) + "}"
