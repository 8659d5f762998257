"""How fast a proof goes through time: fine enough for the shortest range, coarse over days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import gcd

from watchkeeper.promql.durations import duration_ms
from watchkeeper.promql.syntax import Call, Expression, MatrixSelector, Subquery, VectorSelector
from watchkeeper.promql.walk import children, walk
from watchkeeper.prove.motion import Sampling
from watchkeeper.prove.recordings import INSTANT
from watchkeeper.prove.shape import reach_ms
from watchkeeper.prove.steady import Pace
from watchkeeper.rules.rule import RecordingRule

LONG_MS = 2 * 3_600_000
"""Up to here rules and scrapes keep their own intervals."""
NICE_MS = tuple(
    1000 * seconds
    for seconds in (86_400, 43_200, 21_600, 10_800, 3600, 1800, 900, 300, 60, 30, 15, 5, 1)
)
"""Steps that divide one another: who reads at the longer finds what was written at the shorter."""
SAMPLES_A_RANGE = 4
"""So few samples a range still hold; fewer are what `watchkeeper check` warns of."""
STEPS_A_RANGE = 8
LONGEST_GAP_MS = 120_000
"""Well within Prometheus' lookback of five minutes: an older sample is not seen at a moment."""
SIZES = frozenset({"sum_over_time", "count_over_time"})
"""Functions whose result depends on how often a rule records."""

Rules = Sequence[tuple[RecordingRule, Expression]]


def pace_of(
    expression: Expression,
    inlined: Expression,
    recorded: Rules,
    *,
    scrape_ms: int,
    interval_ms: int,
    for_ms: int,
) -> Pace:
    """Return the pace at which an alert is proved.

    Over ranges of hours and days samples are few: as many as the shortest range of scraped
    series needs. The alert is evaluated rarely if its `for` is a multiple of the longer interval.
    """
    reach = reach_ms(inlined)
    if reach <= LONG_MS:
        gap = gcd(scrape_ms, interval_ms) if interval_ms % scrape_ms else scrape_ms
        return settled(Pace(Sampling(gap, gap // 3), interval_ms, 0), reach)
    names = {rule.name for rule, _ in recorded}
    scraped = [
        length
        for one in (expression, *(body for _, body in recorded))
        for length in _ranges(one, names, recorded=False)
    ]
    gap = nicest(min([LONGEST_GAP_MS * SAMPLES_A_RANGE, *scraped]) // SAMPLES_A_RANGE)
    windows = _own_windows(expression, recorded)
    step = nicest(min([*windows, reach // 4]) // STEPS_A_RANGE, divides_ms=for_ms)
    return settled(Pace(Sampling(gap, gap // 3), max(step, gap), 0), reach)


def steps_of(expression: Expression, recorded: Rules, step_ms: int, interval_ms: int) -> list[int]:
    """Return how often each recording rule is evaluated below an alert: as often as it is read.

    A range needs several samples, a subquery one at each of its steps, a moment one right then.
    """
    steps = {rule.name: 0 for rule, _ in recorded}

    def read(body: Expression, own_ms: int) -> None:
        for name, wanted in _readings(body, own_ms, interval_ms):
            if name in steps:
                steps[name] = min(steps[name] or wanted, wanted)

    read(expression, step_ms)
    for rule, body in reversed(recorded):
        read(body, steps[rule.name] or step_ms)
    return [steps[rule.name] or step_ms for rule, _ in recorded]


def settled(pace: Pace, reach: int) -> Pace:
    """Return the pace for an expression that looks back `reach` milliseconds."""
    return replace(pace, settling=-(-reach // pace.sampling.gap_ms) + 1)


def nicest(most_ms: int, divides_ms: int = 0) -> int:
    """Return the longest nice duration up to `most_ms` of which `divides_ms` is a multiple."""
    for nice in NICE_MS:
        if nice <= most_ms and divides_ms % nice == 0:
            return nice
    return max(1, most_ms)


def _readings(body: Expression, own_ms: int, interval_ms: int) -> list[tuple[str, int]]:
    """Return each metric that an expression reads and how often it must be there for that."""
    match body:
        case Call(name=name, arguments=(MatrixSelector(vector=vector),)) if name in SIZES:
            return [(vector.metric_name, interval_ms)]
        case MatrixSelector(vector=vector, range=length):
            wanted = nicest(duration_ms(length, INSTANT) // STEPS_A_RANGE)
            return [(vector.metric_name, wanted)]
        case VectorSelector():
            return [(body.metric_name, own_ms)]
        case Subquery(step=step):
            own_ms = min(own_ms, duration_ms(step, INSTANT) if step else interval_ms)
    return [one for child in children(body) for one in _readings(child, own_ms, interval_ms)]


def _ranges(expression: Expression, names: set[str], *, recorded: bool) -> Iterable[int]:
    """Yield the ranges over scraped series, or those over recorded ones."""
    for node in walk(expression):
        if isinstance(node, MatrixSelector) and (node.vector.metric_name in names) == recorded:
            yield duration_ms(node.range, INSTANT)


def _own_windows(expression: Expression, recorded: Rules) -> list[int]:
    """Return the ranges by which what an alert compares moves: its own, and those of the rules
    that it reads at a moment."""
    bodies = {rule.name: body for rule, body in recorded}
    found: list[int] = []
    waiting = [expression]
    seen: set[str] = set()
    while waiting:
        body = waiting.pop()
        within: list[int] = []
        for node in walk(body):
            if isinstance(node, MatrixSelector | Subquery):
                within.append(duration_ms(node.range, INSTANT))
            elif (
                isinstance(node, VectorSelector)
                and node.metric_name in bodies.keys() - seen
                and not within
            ):
                seen.add(node.metric_name)
                waiting.append(bodies[node.metric_name])
        if within:
            found.append(max(within))
    return found
