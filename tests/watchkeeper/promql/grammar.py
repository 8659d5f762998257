"""Random series and random well-typed queries that Prometheus 2 and 3 answer alike.

What they answer differently is left out: windows that end exactly on a sample (samples lie off
the steps), ranges of which a sample or an edge is missing (rates are extrapolated otherwise), and
what Prometheus 3 added or renamed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from watchkeeper.model import Series, labels

GAP_MS = 15_000
OFF_MS = 4_003
SAMPLES = 280

METRICS = ("requests_total", "depth", "wait_bucket")
GROUPINGS = ("job", "instance", "job, instance", "le", "code")
RANGES = ("1m", "2m", "5m", "10m")
SIMPLE = (
    "abs",
    "ceil",
    "floor",
    "exp",
    "sqrt",
    "ln",
    "log2",
    "log10",
    "sgn",
    "round",
    "sort",
    "sort_desc",
    "atan",
    "sin",
    "deg",
    "rad",
    "cosh",
    "asinh",
    "timestamp",
)
CALENDAR = (
    "minute",
    "hour",
    "day_of_week",
    "day_of_month",
    "day_of_year",
    "days_in_month",
    "month",
    "year",
)
OVER_TIME = (
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "changes",
    "resets",
    "deriv",
    "avg_over_time",
    "sum_over_time",
    "min_over_time",
    "max_over_time",
    "count_over_time",
    "last_over_time",
    "present_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "absent_over_time",
)
AGGREGATIONS = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
SETS = ("and", "or", "unless")


def series(seed: int, begin_ms: int) -> list[Series]:
    """Return counters that fall, gauges with gaps, and classic histograms."""
    numbers = np.random.default_rng(seed)
    times = begin_ms + OFF_MS + GAP_MS * np.arange(SAMPLES, dtype=np.int64)
    found = []
    for place in range(12):
        pairs = {"job": f"j{place % 3}", "instance": f"i{place}", "code": str(200 + place % 4)}
        counter = numbers.integers(0, 20, SAMPLES).cumsum().astype(np.float64)
        if place % 3 == 0:
            counter[150:] -= counter[150]
        found.append(Series(labels({"__name__": "requests_total", **pairs}), times, counter))
        gauge = np.round(numbers.normal(0, 50, SAMPLES), 3)
        kept = np.ones(SAMPLES, dtype=np.bool_)
        if place % 4 == 0:
            kept[60:140] = False
        name = labels({"__name__": "depth", **pairs})
        found.append(Series(name, times[kept], gauge[kept]))
    for place in range(4):
        grown = np.zeros(SAMPLES)
        for bound in ("0.1", "0.5", "1", "5", "+Inf"):
            grown = grown + numbers.integers(0, 9, SAMPLES).cumsum()
            pairs = {"job": f"j{place % 2}", "instance": f"i{place}", "le": bound}
            found.append(Series(labels({"__name__": "wait_bucket", **pairs}), times, grown))
    return sorted(found, key=lambda one: one.labels)


@dataclass
class Grammar:
    """Makes queries; the same seed makes the same queries."""

    seed: int

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def query(self) -> str:
        """Return an expression that is an instant vector or a scalar."""
        return self.vector(3) if self._random.random() < 0.95 else self.scalar(2)

    def vector(self, depth: int) -> str:
        if depth == 0:
            return self.selector()
        make = self._random.choice(
            [
                self.selector,
                self.function,
                self.windowed,
                self.windowed,
                self.aggregate,
                self.aggregate,
                self.with_scalar,
                self.joined,
                self.set_operation,
                self.quantile,
                self.subquery,
                self.top,
                self.relabelled,
                self.absent,
                self.counted,
                self.calendar,
                self.negated,
            ]
        )
        return make(depth - 1)

    def scalar(self, depth: int) -> str:
        pick = self._random.random()
        if depth and pick < 0.15:
            return f"scalar({self.vector(depth - 1)})"
        if depth and pick < 0.3:
            operator = self._random.choice(ARITHMETIC[:4])
            return f"({self.scalar(depth - 1)} {operator} {self.scalar(depth - 1)})"
        return self._random.choice(["0.5", "2", "10", "-3", "time()", "1e3", "0"])

    def selector(self, _depth: int = 0) -> str:
        return self._metric() + self._random.choice(
            ["", "", "", " offset 5m", " offset 90s", " offset -2m", " @ 1767227000", " @ end()"]
        )

    def _metric(self) -> str:
        matcher = self._random.choice(
            [
                "",
                "",
                '{job="j1"}',
                '{job!="j0"}',
                '{instance=~"i[0-5]"}',
                '{code!~"20[12]"}',
                '{instance=~"i1|i2|i11",job=~".+"}',
            ]
        )
        return self._random.choice(METRICS) + matcher

    def function(self, depth: int) -> str:
        pick = self._random.random()
        if pick < 0.1:
            return f"clamp({self.vector(depth)}, -10, {self._random.choice(['5', '100'])})"
        if pick < 0.15:
            return f"clamp_{self._random.choice(['min', 'max'])}({self.vector(depth)}, 7)"
        if pick < 0.2:
            return f"round({self.vector(depth)}, {self._random.choice(['0.5', '10'])})"
        return f"{self._random.choice(SIMPLE)}({self.vector(depth)})"

    def windowed(self, _depth: int) -> str:
        reach = f"{self._metric()}[{self._random.choice(RANGES)}]"
        pick = self._random.random()
        if pick < 0.1:
            return f"quantile_over_time({self._random.choice(['0.3', '0.9', '1'])}, {reach})"
        if pick < 0.15:
            return f"predict_linear({reach}, 600)"
        return f"{self._random.choice(OVER_TIME)}({reach})"

    def aggregate(self, depth: int) -> str:
        how = self._random.choice(["", "", "by", "without"])
        group = f" {how} ({self._random.choice(GROUPINGS)}) " if how else ""
        inner = self.vector(depth)
        if self._random.random() < 0.1:
            return f"quantile{group}(0.7, {inner})"
        return f"{self._random.choice(AGGREGATIONS)}{group}({inner})"

    def top(self, depth: int) -> str:
        return f"count({self._random.choice(['topk', 'bottomk'])}(3, {self.vector(depth)}))"

    def with_scalar(self, depth: int) -> str:
        sides = [f"({self.vector(depth)})", self.scalar(1)]
        self._random.shuffle(sides)
        if self._random.random() < 0.4:
            how = self._random.choice(["", " bool"])
            return f"{sides[0]} {self._random.choice(COMPARISONS)}{how} {sides[1]}"
        return f"{sides[0]} {self._random.choice(ARITHMETIC)} {sides[1]}"

    def joined(self, depth: int) -> str:
        operator = self._random.choice([*ARITHMETIC, *COMPARISONS])
        left, right = self.vector(depth), self.vector(depth)
        how = self._random.choice(
            [
                "",
                "on (instance) ",
                "ignoring (code) ",
                "on (job) group_left () ",
                "on (job) group_right () ",
            ]
        )
        if "group_left" in how:
            right = f"sum by (job) ({right})"
        if "group_right" in how:
            left = f"max by (job) ({left})"
        return f"({left}) {operator} {how}({right})"

    def set_operation(self, depth: int) -> str:
        how = self._random.choice(["", "on (job) ", "ignoring (le) "])
        return f"({self.vector(depth)}) {self._random.choice(SETS)} {how}({self.vector(depth)})"

    def quantile(self, _depth: int) -> str:
        inner = self._random.choice(
            [
                "wait_bucket",
                "rate(wait_bucket[5m])",
                "sum by (le) (rate(wait_bucket[2m]))",
                "sum by (job, le) (wait_bucket)",
            ]
        )
        return f"histogram_quantile({self._random.choice(['0.1', '0.5', '0.99'])}, {inner})"

    def subquery(self, depth: int) -> str:
        function = self._random.choice(
            [
                "max_over_time",
                "min_over_time",
                "avg_over_time",
                "count_over_time",
                "last_over_time",
                "changes",
                "deriv",
            ]
        )
        # A step that no evaluation falls on: the two versions count the window's edge otherwise.
        return f"{function}(({self.vector(min(depth, 1))})[7m:47s])"

    def counted(self, depth: int) -> str:
        how = self._random.choice(["", " by (job) ", " without (instance) "])
        # Large values differ in their last digits, and are names here.
        return f'count_values{how}("value", clamp(round({self.vector(depth)}, 10), -1e6, 1e6))'

    def calendar(self, depth: int) -> str:
        # What is no date, such as NaN, is whatever Go's conversion to integers makes of it.
        moment = self._random.choice([self.selector(), f"timestamp({self.selector()})"])
        return f"{self._random.choice(CALENDAR)}({moment})"

    def negated(self, depth: int) -> str:
        return f"-({self.vector(depth)})"

    def relabelled(self, depth: int) -> str:
        if self._random.random() < 0.3:
            return f'label_join({self.vector(depth)}, "kind", "-", "job", "instance")'
        return (
            f'label_replace({self.vector(depth)}, "kind", "$1", '
            f'"{self._random.choice(["job", "instance"])}", "(.).*")'
        )

    def absent(self, _depth: int) -> str:
        return self._random.choice(
            [
                f"absent({self._metric()})",
                'absent(missing{job="j1"})',
                'absent_over_time(missing{a="b"}[5m])',
            ]
        )
