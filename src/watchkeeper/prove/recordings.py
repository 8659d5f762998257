"""Recording rules below an expression: which it needs, and the expression without them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from watchkeeper.errors import ConfigError
from watchkeeper.matching import matches
from watchkeeper.promql import parse, selectors
from watchkeeper.promql.durations import duration_ms
from watchkeeper.promql.grid import Grid
from watchkeeper.promql.syntax import (
    Binary,
    Call,
    Duration,
    DurationLiteral,
    Expression,
    MatrixSelector,
    Number,
    Parens,
    String,
    Subquery,
    VectorSelector,
)
from watchkeeper.prove.tree import rewritten
from watchkeeper.rules.rule import RecordingRule

DEEPEST = 12
STEPS_A_WINDOW = 8
"""So many points of an inlined range are enough where nothing moves any more."""
SHORT_SECONDS = 60.0
"""How far apart they lie when the range itself is shortened."""
LONG_RANGE_SECONDS = 900.0
DEFAULT_STEP_MS = 60_000
"""Of a subquery that names none: Prometheus' default evaluation interval."""
INSTANT = Grid(0, 0, 1)
Rules = list[tuple[RecordingRule, Expression]]


class Recordings:
    """The recording rules of all groups, in the order of their evaluation."""

    def __init__(self, rules: Iterable[tuple[RecordingRule, float]]) -> None:
        """`rules` come with the seconds between their evaluations."""
        given = list(rules)
        self._rules = [(rule, parse(rule.expression)) for rule, _ in given]
        self._intervals = [seconds for _, seconds in given]

    def needed(self, expression: Expression) -> list[tuple[RecordingRule, Expression]]:
        """Return the rules that an expression reads, and those that they read, first things first.

        Raises ConfigError where rules read each other in a circle.
        """
        found: dict[int, None] = {}
        self._collect(expression, found, 0)
        return [self._rules[number] for number in found]

    def inlined(self, expression: Expression, *, short: bool = False) -> Expression:
        """Return the expression with every recorded series replaced by what records it.

        It means the same while nothing moves: ranges become subqueries of few steps. With
        `short` long ranges are shortened too where that does not matter then.
        """
        return _Inlining(self._rules, self._intervals, short).expression(expression)

    def _recording(self, selector: VectorSelector) -> list[int]:
        """Return the rules that record what a selector asks for, by number."""
        return recording(self._rules, selector)

    def _collect(self, expression: Expression, found: dict[int, None], depth: int) -> None:
        if depth > DEEPEST:
            raise ConfigError("recording rules read each other in a circle")
        for selector in selectors(expression):
            for number in self._recording(selector):
                if number not in found:
                    self._collect(self._rules[number][1], found, depth + 1)
                    found[number] = None


@dataclass(frozen=True)
class _Inlining:
    rules: Rules
    intervals: list[float]
    short: bool

    def expression(self, expression: Expression, depth: int = 0) -> Expression:
        if depth > DEEPEST:
            raise ConfigError("recording rules read each other in a circle")

        def change(node: Expression) -> Expression | None:
            match node:
                case Call(
                    name="sum_over_time" | "count_over_time",
                    arguments=(MatrixSelector() as inside,),
                ):
                    return self._counted(node, inside, depth)
                case MatrixSelector(vector=vector, range=length):
                    inner = self._in_place_of(vector, depth)
                    return node if inner is None else self._range(inner, length)
                case Call(name="rate", arguments=(MatrixSelector() as inside,)) if self.short:
                    return self._shorter_rate(node, inside, depth)
                case Call(
                    name="sum_over_time" | "count_over_time", arguments=(Subquery() as inside,)
                ) if self.short:
                    return self._shorter_sum(node, inside, depth)
                case Subquery() if self.short:
                    return self._range(self.expression(node.expression, depth), node.range)
                case VectorSelector():
                    return self._in_place_of(node, depth) or node
            return None

        return rewritten(expression, change)

    def _counted(self, call: Call, inside: MatrixSelector, depth: int) -> Expression | None:
        """Return a sum over recorded samples by their mean and number; None for scraped ones."""
        found = recording(self.rules, inside.vector)
        if not found:
            return None
        ranged = self.expression(inside, depth)
        number = duration_ms(inside.range, INSTANT) / 1000 / self.intervals[found[0]]
        mean: Expression = Call("avg_over_time", (ranged,))
        if call.name == "count_over_time":
            mean = Binary("/", Call("count_over_time", (ranged,)), Number(STEPS_A_WINDOW))
        return Parens(Binary("*", mean, Number(number)))

    def _in_place_of(self, selector: VectorSelector, depth: int) -> Expression | None:
        chosen = [self.rules[number] for number in recording(self.rules, selector)]
        if not chosen:
            return None
        parts = [
            _labelled(self.expression(expression, depth + 1), rule) for rule, expression in chosen
        ]
        whole = parts[0]
        for part in parts[1:]:
            whole = Binary("or", whole, part)
        return Parens(whole) if len(parts) > 1 else whole

    def _shorter_sum(self, call: Call, inside: Subquery, depth: int) -> Expression:
        """Return a sum over a subquery by its mean and the number of its points."""
        length = duration_ms(inside.range, INSTANT)
        step = duration_ms(inside.step, INSTANT) if inside.step else DEFAULT_STEP_MS
        ranged = self._range(self.expression(inside.expression, depth), inside.range)
        mean: Expression = Call("avg_over_time", (ranged,))
        if call.name == "count_over_time":
            mean = Binary("/", Call("count_over_time", (ranged,)), Number(STEPS_A_WINDOW))
        return Parens(Binary("*", mean, Number(length / step)))

    def _range(self, inner: Expression, length: Duration) -> Subquery:
        if self.short:
            return Subquery(
                inner,
                DurationLiteral(SHORT_SECONDS * STEPS_A_WINDOW),
                DurationLiteral(SHORT_SECONDS),
            )
        seconds = max(1.0, duration_ms(length, INSTANT) / 1000 / STEPS_A_WINDOW)
        return Subquery(inner, length, DurationLiteral(seconds))

    def _shorter_rate(self, call: Call, inside: MatrixSelector, depth: int) -> Expression | None:
        if recording(self.rules, inside.vector):
            return None
        seconds = min(LONG_RANGE_SECONDS, duration_ms(inside.range, INSTANT) / 1000)
        return replace(call, arguments=(replace(inside, range=DurationLiteral(seconds)),))


def recording(rules: Rules, selector: VectorSelector) -> list[int]:
    """Return the rules that record what a selector asks for, by number."""
    return [
        number
        for number, (rule, _) in enumerate(rules)
        if rule.name == selector.metric_name and _may_match(selector, rule)
    ]


def _may_match(selector: VectorSelector, rule: RecordingRule) -> bool:
    """Whether the labels that the rule sets do not contradict the selector."""
    own = tuple(rule.labels.items())
    asked = tuple(one for one in selector.matchers if one.name in rule.labels)
    return matches(own, asked)


def _labelled(expression: Expression, rule: RecordingRule) -> Expression:
    for name, value in rule.labels.items():
        arguments: Sequence[Expression] = (
            expression,
            String(name),
            String(value.replace("$", "$$")),
            String(""),
            String(""),
        )
        expression = Call("label_replace", tuple(arguments))
    return expression
