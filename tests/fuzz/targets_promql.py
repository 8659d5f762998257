"""PromQL: the parser, the printers, the engine, and the series of test files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from target import Target

from watchkeeper.matching import matches
from watchkeeper.model import Matcher, Series, labels
from watchkeeper.promql import Engine, QueryLimits, format, parse, pretty, tree_json
from watchkeeper.promql.series_notation import parse_series
from watchkeeper.promql.signatures import AGGREGATIONS, FUNCTIONS, PRECEDENCE
from watchkeeper.series_columns import SeriesColumns

QUERIES = (
    'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / on (job) group_left (a) x > 1',
    "histogram_quantile(0.95, sum without (instance) (rate(wait_bucket[5m]))) offset -5m",
    "max_over_time((a or b unless c)[1h:1m] @ end()) ^ 2 == bool 4",
    "topk(3, x @ start()) and absent(y) + -2 ^ 3",
    "rate(x[5m + step()] smoothed) + increase(x[max_of(1m, step())] anchored)",
    'label_replace({"a.b", "c d"="e"}, "x", "$1", "y", "(.*)")',
    "count_values('v', x) + 0x1F + 1e3 + .5 + Inf + 1h30m # and a comment",
    "a + fill(0) b",
    "info(x, {__name__=~'.+_info'})",
    "quantile_over_time(0.9, x[5m]) * ignoring (a) group_right () y",
    "histogram_fraction(0, 1, h) </ 2",
    "limitk(2, x) or limit_ratio(0.5, x)",
    '"text"',
    "absent(y) + Inf ^ 3",
    "x - ---NaN",
    "a_name + Inf ^ a_long_long_name",
)


class Shelf:
    """A few series, over an hour."""

    def __init__(self) -> None:
        times = np.arange(0, 3_600_000, 15_000, dtype=np.int64)
        self.series = [
            Series(labels({"__name__": name, "job": job, "le": bound}), times, times * 1.0)
            for name in ("a", "b", "x", "wait_bucket")
            for job in ("one", "two")
            for bound in ("1", "+Inf")
        ]

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        found = []
        for one in self.series:
            inside = (one.timestamps_ms >= start_ms) & (one.timestamps_ms <= end_ms)
            if inside.any() and matches(one.labels, tuple(matchers)):
                found.append(Series(one.labels, one.timestamps_ms[inside], one.values[inside]))
        return SeriesColumns.of(found)


ENGINE = Engine(Shelf(), limits=QueryLimits(samples=200_000, steps=100, series=100, seconds=5.0))


def read_query(data: bytes) -> None:
    """Parse; what parses prints, and what is printed parses to the same tree."""
    tree = parse(data.decode("utf-8", "surrogateescape"))
    assert parse(format(tree)) == tree
    assert parse(pretty(tree, width=20)) == tree
    tree_json(tree)


def answer_query(data: bytes) -> None:
    """Evaluate at a moment and over a range."""
    query = data.decode("utf-8", "surrogateescape")
    ENGINE.instant(query, 1_800_000)
    ENGINE.range(query, 1_500_000, 2_000_000, 60_000)


WORDS = (
    *FUNCTIONS,
    *AGGREGATIONS,
    *PRECEDENCE,
    *("by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "@"),
    *("start()", "end()", "step()", "range()", "anchored", "smoothed", "fill", "fill_left"),
    *(
        "[5m]",
        "[1h:1m]",
        "[5m:]",
        "{",
        "}",
        '=~"',
        '!~"',
        "__name__",
        "NaN",
        "Inf",
        "0x",
        "1e",
        "#",
    ),
)

TARGETS = [
    Target("promql_parser", read_query, tuple(map(str.encode, QUERIES)), WORDS),
    Target("promql_engine", answer_query, tuple(map(str.encode, QUERIES)), WORDS, 512),
    Target(
        "series_notation",
        lambda data: parse_series(data.decode("utf-8", "surrogateescape")),
        (
            b'up{job="api"} 1+2x5 _x3 stale NaN',
            b"x {{schema:1 count:3 sum:2.5 buckets:[1 2] offset:-1}}+{{count:1}}x4",
            b"y -Inf 1e3-0.5x2",
            b"z {{schema:+{{count:0}}x4",
            b"z 1x99999999999 _x1e9",
        ),
        ("{{", "}}", "stale", "_x", "schema:", "buckets:[", "custom_values:[", "n_buckets:["),
    ),
]
