"""Which knobs a condition has: from each selector backwards to the streams that move it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from watchkeeper.matching import predicate
from watchkeeper.model import Labels, MatchOperator, MetricType
from watchkeeper.promql.syntax import Binary, Expression, Number
from watchkeeper.promql.walk import walk
from watchkeeper.prove.declared import DOMAINS
from watchkeeper.prove.knobs import TOTAL, Flow, Knob, Level, Observations, Presence, Traffic
from watchkeeper.prove.motion import Motion, State, Stream
from watchkeeper.prove.shape import DRIFTS, Condition, Leaf, constants, leaves
from watchkeeper.prove.streams import Streams
from watchkeeper.prove.tree import bare
from watchkeeper.wire.family import format_bound

ADDING = frozenset({"sum", "avg", "count", "stddev", "stdvar", "quantile"})
SHARES = (0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)
DECADES = tuple(10.0**power for power in range(-6, 16, 3))
NOMINAL_EVENTS = 100.0
EQUALITIES = frozenset({"==", "!="})


@dataclass(frozen=True, slots=True)
class Lever:
    """A knob, the positions at which it is tried first, the selector that it is about, and its
    place among the levers of its condition."""

    knob: Knob
    ladder: tuple[float, ...]
    leaf: Leaf
    number: int = 0


def nominal(streams: Streams, expression: Expression, level: float) -> State:
    """Return a state in which everything moves: counters count, all is there.

    Gauges stand at `level`; those that somewhere are compared with 0 or 1 stand at 1.
    """
    level = 1.0 if _asks_for_yes_or_no(expression) else level
    state: dict[Stream, Motion] = {}
    for stream in streams.all:
        match stream.kind:
            case MetricType.GAUGE:
                domain = DOMAINS.get(stream.name)
                state[stream] = Motion(value=max(domain) if domain else level)
            case MetricType.HISTOGRAM:
                counts = (NOMINAL_EVENTS, *[0.0] * len(stream.buckets))
                state[stream] = Motion(increments=counts)
            case _:
                state[stream] = Motion(increments=(NOMINAL_EVENTS,))
    return state


def levers(condition: Condition, streams: Streams, group: int = 0) -> Iterator[Lever]:
    """Yield the knobs of a condition, the most natural first.

    `group` says which of the groups that an aggregation makes they move. A lever has the same
    number in every group.
    """
    found = leaves(condition.expression)
    number = 0
    for leaf in sorted(found, key=lambda one: not _is_a_part(one, found, streams)):
        groups = groups_of(leaf, streams)
        if not groups:
            continue
        chosen = groups[group] if group < len(groups) else ()
        for lever in _of_group(condition, found, leaf, chosen or groups[0], streams):
            if chosen:
                yield replace(lever, number=number)
            number += 1


def _is_a_part(leaf: Leaf, found: list[Leaf], streams: Streams) -> bool:
    """Whether another selector beside takes the same series and more: a share has two flows."""
    own = set(streams.of(leaf.selector))
    return any(
        own < set(streams.of(other.selector))
        for other in found
        if other.selector.metric_name == leaf.selector.metric_name
    )


def in_other_groups(condition: Condition, streams: Streams, lever: Lever) -> Iterator[Lever]:
    """Yield the levers that do the same to every other group."""
    for group in range(1, len(groups_of(lever.leaf, streams))):
        same = (one for one in levers(condition, streams, group) if one.number == lever.number)
        yield from same


def groups_of(leaf: Leaf, streams: Streams) -> list[tuple[Stream, ...]]:
    """Return the streams that a selector takes, by the group they fall into above it."""
    groups: dict[Labels, list[Stream]] = {}
    for stream in streams.of(leaf.selector):
        groups.setdefault(leaf.group_of(stream.labels), []).append(stream)
    return [tuple(group) for group in groups.values()]


def _of_group(
    condition: Condition,
    found: list[Leaf],
    leaf: Leaf,
    group: tuple[Stream, ...],
    streams: Streams,
) -> Iterator[Lever]:
    """Yield the knobs that move one group of one selector."""
    numbers = constants(condition.expression)
    if leaf.above.in_absence:
        yield Lever(Presence(tuple(streams.of(leaf.selector))), (0.0, 1.0), leaf)
    match group[0].kind:
        case MetricType.GAUGE:
            yield from _levels(leaf, group, numbers)
        case MetricType.HISTOGRAM:
            yield from _observations(leaf, group)
            yield from _flows_of_histogram(leaf, group)
        case _:
            yield from _flows(leaf, group, _companions(found, leaf, group, streams), numbers)


def _levels(leaf: Leaf, group: tuple[Stream, ...], numbers: set[float]) -> Iterator[Lever]:
    domain = DOMAINS.get(group[0].name, ())
    ladder = domain or tuple(
        sorted(_around(numbers) | {sign * one for one in DECADES for sign in (1, -1)})
    )
    for part, each in _spreads(leaf, group):
        if leaf.above.function in DRIFTS:
            yield Lever(Level(part, each, drifting=True), ladder, leaf)
        if leaf.above.of_time:
            yield Lever(Level(part, True, lagging=True), ladder, leaf)
        yield Lever(Level(part, each, domain=domain), ladder, leaf)


def _flows(
    leaf: Leaf, group: tuple[Stream, ...], companions: tuple[Stream, ...], numbers: set[float]
) -> Iterator[Lever]:
    if companions:
        ladder = tuple(share * TOTAL for share in SHARES)
        yield Lever(Flow(group, companions), ladder, leaf)
        return
    ladder = tuple(sorted({one for one in _around(numbers) | {*DECADES} if one >= 0}))
    for part, each in _spreads(leaf, group):
        yield Lever(Flow(part, each=each), ladder, leaf)


def _flows_of_histogram(leaf: Leaf, group: tuple[Stream, ...]) -> Iterator[Lever]:
    """Yield the knob that only says how much is observed, whatever its size."""
    yield Lever(Traffic(group), (0.0, *DECADES), leaf)


def _observations(leaf: Leaf, group: tuple[Stream, ...]) -> Iterator[Lever]:
    ladder = tuple(share * TOTAL for share in SHARES)
    buckets = len(group[0].buckets)
    spreads = [False] if len(group) == 1 or not leaf.above.aggregations else [True, False]
    part = group if leaf.above.aggregations else group[:1]
    slow_buckets = _slow_buckets(leaf, group[0], buckets)
    for apart in spreads:
        for slow in slow_buckets:
            yield Lever(Observations(part, slow, apart=apart), ladder, leaf)
    for slow in slow_buckets[1:]:
        yield Lever(Observations(part, slow, fast=slow - 1), ladder, leaf)


def _slow_buckets(leaf: Leaf, stream: Stream, buckets: int) -> list[int]:
    """Return the buckets beyond the bound that a selector names, or all but the first."""
    bounds = [*map(format_bound, stream.buckets), "+Inf"]
    for matcher in leaf.selector.matchers:
        if matcher.name == "le" and matcher.operator in (MatchOperator.EQUAL, MatchOperator.REGEX):
            test = predicate(matcher)
            taken = [number for number, bound in enumerate(bounds) if test(bound)]
            if taken and taken[-1] < buckets:
                return [taken[-1] + 1]
    return list(range(1, buckets + 1))


def _companions(
    found: list[Leaf], leaf: Leaf, group: tuple[Stream, ...], streams: Streams
) -> tuple[Stream, ...]:
    """Return the streams of the same counter that a wider selector beside this one adds up."""
    beside: dict[Stream, None] = {}
    own = set(streams.of(leaf.selector))
    for other in found:
        if other.selector.metric_name != leaf.selector.metric_name or not other.above.aggregations:
            continue
        place = other.group_of(group[0].labels)
        for stream in streams.of(other.selector):
            if stream not in own and other.group_of(stream.labels) == place:
                beside[stream] = None
    return tuple(beside)


def _spreads(leaf: Leaf, group: tuple[Stream, ...]) -> list[tuple[tuple[Stream, ...], bool]]:
    """Return how a group may be moved: which of its streams, and whether each goes there."""
    if len(group) == 1 or not leaf.above.aggregations:
        return [(group[:1], True)]
    alone, every, shared = (group[:1], True), (group, True), (group, False)
    return [shared, every, alone] if leaf.aggregation in ADDING else [alone, every]


def _around(numbers: set[float]) -> set[float]:
    near = {0.0, 1.0}
    for number in numbers:
        near |= {number, number + 1, number - 1, number * 2, number / 2, -number}
    return near


def _asks_for_yes_or_no(expression: Expression) -> bool:
    return any(
        isinstance(node, Binary)
        and node.operator in EQUALITIES
        and isinstance(right := bare(node.right), Number)
        and right.value in (0, 1)
        for node in walk(expression)
    )


def widened(lever: Lever, factor: int) -> Lever | None:
    """Return a lever over `factor` times as many events, if its events have a total."""
    finer = lever.knob.finer(factor)
    if finer is None:
        return None
    return replace(lever, knob=finer, ladder=tuple(one * factor for one in lever.ladder))
