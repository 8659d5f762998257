"""What a check is, and what it is given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from typing import TypeVar

from watchkeeper.check.finding import Severity
from watchkeeper.check.inference import infer
from watchkeeper.check.known import ALWAYS_THERE, TARGET_LABELS, Known, KnownLabel, KnownMetric
from watchkeeper.check.part_of import adds_up
from watchkeeper.check.query import Query, Role, matcher_places
from watchkeeper.check.shape import Shape, Sort
from watchkeeper.check.source import Edit, Place
from watchkeeper.check.subject import Recording, Subjects, Timing
from watchkeeper.model import Matcher, MetricType
from watchkeeper.promql import Expression, VectorSelector
from watchkeeper.promql.walk import children

Wanted = TypeVar("Wanted")

_DEPTH = 4
"""How many recording rules that build on each other are followed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A place where a check found a fault; `repair` where it is more exact than the check's."""

    place: Place
    subject: str
    message: str
    fix: tuple[Edit, ...] = ()
    repair: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One fault that is looked for.

    `reason` says in a sentence why it is one, `repair` what to do; `parameters` are numbers that
    a project may set, with their defaults. `find` is None where the runner finds it itself.
    """

    id: str
    severity: Severity
    reason: str
    repair: str
    find: Callable[[Examined], Iterator[Problem]] | None
    parameters: Mapping[str, float] = field(default_factory=dict)
    fixes: bool = False

    @property
    def family(self) -> str:
        """The module that it stands in."""
        module = self.find.__module__ if self.find is not None else "exceptions"
        return module.rpartition(".")[2]


class Examined:
    """Everything that checks look at: what was read, what is known, what follows from both."""

    def __init__(
        self, subjects: Subjects, known: Known, parameters: Mapping[str, float] | None = None
    ) -> None:
        self.subjects = subjects
        self._parameters = parameters or {}
        self._shapes: dict[int, dict[int, Shape]] = {}
        self._parents: dict[int, dict[int, Expression]] = {}
        self._matchers: dict[int, list[tuple[Matcher, int, int]]] = {}
        self.known = self._with_recordings(known)

    def parameter(self, name: str) -> float:
        """Return the value of a parameter, named `check-id.name`."""
        return self._parameters[name]

    @property
    def timing(self) -> Timing:
        """How often is scraped and evaluated."""
        return self.subjects.timing or Timing()

    @cached_property
    def queries(self) -> list[Query]:
        """Every expression that parses."""
        return [query for query in self.subjects.all_queries if query.tree is not None]

    def root(self, query: Query) -> Shape:
        """Return the shape of a query's result; of one that does not parse, nothing is known."""
        return self.shape(query, query.tree) if query.tree is not None else Shape()

    def shape(self, query: Query, node: Expression) -> Shape:
        """Return the shape of a part of a query."""
        shapes = self._shapes.get(id(query))
        if shapes is None:
            shapes = self._shapes[id(query)] = infer(query, self.known)
        return shapes[id(node)]

    def ancestors(self, query: Query, node: Expression) -> Iterator[Expression]:
        """Give what a part of a query stands in, from the inside out."""
        parents = self._parents.get(id(query))
        if parents is None:
            parents = {id(child): one for one in query.nodes() for child in children(one)}
            self._parents[id(query)] = parents
        parent = parents.get(id(node))
        while parent is not None:
            yield parent
            parent = parents.get(id(parent))

    def nodes(self, kind: type[Wanted], *roles: Role) -> Iterator[tuple[Query, Wanted]]:
        """Give every node of a kind with its query; of queries in some roles, if any is named."""
        for query, node in self._by_kind.get(kind, ()):
            if isinstance(node, kind) and (not roles or query.role in roles):
                yield query, node

    @cached_property
    def _by_kind(self) -> dict[type, list[tuple[Query, Expression]]]:
        found: dict[type, list[tuple[Query, Expression]]] = defaultdict(list)
        for query in self.queries:
            for node in query.nodes():
                found[type(node)].append((query, node))
        return found

    def matchers(self, query: Query, node: VectorSelector) -> list[tuple[Matcher, int, int]]:
        """Return the matchers between a selector's braces with the offsets where they stand."""
        places = self._matchers.get(id(node))
        if places is None:
            places = self._matchers[id(node)] = matcher_places(query, node)
        return places

    def _with_recordings(self, known: Known) -> Known:
        """Return what is known with the recording rules, which may build on each other."""
        recordings = [one for one in self.subjects.recordings if one.query.tree is not None]
        found = known
        for _ in range(_DEPTH):
            self.known = found
            self._shapes.clear()
            recorded: dict[str, KnownMetric] = {}
            for recording in recordings:
                metric = self._recorded(recording)
                recorded[metric.name] = _either(recorded.get(metric.name), metric)
            found = known.with_metrics(recorded.values())
            if all(metric.complete for metric in recorded.values()):
                break
        self._shapes.clear()
        return found

    def _recorded(self, recording: Recording) -> KnownMetric:
        shape = self.root(recording.query)
        labels = shape.labels
        names = (labels.possible or labels.certain) | recording.labels.keys()
        own = {name: frozenset({text.value}) for name, text in recording.labels.items()}
        values = {**labels.values, **own}
        kind = MetricType.GAUGE
        if shape.sort is Sort.COUNTER:
            kind = MetricType.COUNTER
        elif not shape.metrics:
            kind = MetricType.UNKNOWN
        return KnownMetric(
            name=recording.name.value,
            type=kind,
            labels={name: KnownLabel(name, values.get(name)) for name in names},
            unit=shape.unit.name if shape.unit and not shape.unit.per_second else "",
            origin="recording rule",
            complete=labels.possible is not None,
            recorded=True,
            summed=recording.query.tree is not None and adds_up(recording.query.tree),
            may_be_nan=shape.nan,
            declared=recording.name,
            bounds=(shape.low, shape.high),
        )


def _either(first: KnownMetric | None, second: KnownMetric) -> KnownMetric:
    """Return what is sure of a metric that two recording rules record."""
    if first is None:
        return second
    same = first.labels.keys() == second.labels.keys()
    shared = {
        name: KnownLabel(name, _both(first.labels[name], second.labels[name]))
        for name in first.labels.keys() & second.labels.keys()
    }
    one, other = first.bounds or (-inf, inf), second.bounds or (-inf, inf)
    return replace(
        second,
        labels=shared,
        complete=same and first.complete and second.complete,
        bounds=(min(one[0], other[0]), max(one[1], other[1])),
        may_be_nan=first.may_be_nan or second.may_be_nan,
    )


def _both(first: KnownLabel, second: KnownLabel) -> frozenset[str] | None:
    if first.values is None or second.values is None:
        return None
    return first.values | second.values


def at(
    query: Query,
    node: Expression,
    message: str,
    fix: tuple[Edit, ...] = (),
    repair: str = "",
) -> Problem:
    """Return a problem at a part of a query."""
    return Problem(query.text.place(node.start, node.end), query.subject, message, fix, repair)


def own_labels(shape: Shape) -> frozenset[str]:
    """Return the labels that its metrics declare and every series carries, unless matchers leave
    one value only."""
    declared = {
        label
        for metric in shape.metrics
        for label in metric.labels
        if not (metric.recorded and label in TARGET_LABELS)
    }
    single = {label for label, values in shape.labels.values.items() if len(values) == 1}
    return frozenset((declared & shape.labels.certain) - single - ALWAYS_THERE)
