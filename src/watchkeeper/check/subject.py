"""What is checked: rules, dashboards and routes, the same whether files or a contract have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from watchkeeper.check.document import Node
from watchkeeper.check.known import KnownMetric
from watchkeeper.check.query import Query
from watchkeeper.check.source import Place, Source, Text
from watchkeeper.model import Matcher


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Recording:
    """A recording rule."""

    name: Text
    query: Query
    labels: Mapping[str, Text]
    node: Node | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Alert:
    """An alerting rule. `duration` is its `for` as written, None where there is none."""

    name: Text
    query: Query
    labels: Mapping[str, Text]
    annotations: Mapping[str, Text]
    for_seconds: float = 0
    duration: Text | None = None
    keep_firing_for_seconds: float = 0
    node: Node | None = None

    @property
    def subject(self) -> str:
        """How findings name it."""
        return f"alert {self.name.value}"

    @property
    def texts(self) -> list[tuple[str, Text]]:
        """Labels and annotations: what is read as templates."""
        return [*self.labels.items(), *self.annotations.items()]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Group:
    """Rules that are evaluated one after the other. `object_kind` is that of the Kubernetes object
    that holds them, '' for a file."""

    name: Text
    rules: tuple[Alert | Recording, ...]
    interval_seconds: float = 0
    object_kind: str = ""
    node: Node | None = None

    @property
    def alerts(self) -> list[Alert]:
        """Its alerting rules."""
        return [rule for rule in self.rules if isinstance(rule, Alert)]

    @property
    def recordings(self) -> list[Recording]:
        """Its recording rules."""
        return [rule for rule in self.rules if isinstance(rule, Recording)]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Target:
    """A query of a panel with its legend."""

    query: Query
    legend: Text | None = None
    node: Node | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Panel:
    """A panel. `unit` is Grafana's id; `thresholds` and bounds are in that unit."""

    title: str
    kind: str
    place: Place
    dashboard: str
    description: str = ""
    unit: str = ""
    unit_place: Place | None = None
    thresholds: tuple[float, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    targets: tuple[Target, ...] = ()
    node: Node | None = None

    @property
    def subject(self) -> str:
        """How findings name it."""
        return f"panel {self.title!r} of {self.dashboard!r}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Dashboard:
    """A dashboard. `wrapper` is the document around it, where the HTTP API's form was given."""

    title: str
    place: Place
    panels: tuple[Panel, ...]
    variables: tuple[Query, ...] = ()
    node: Node | None = None
    wrapper: Node | None = None

    @property
    def subject(self) -> str:
        """How findings name it."""
        return f"dashboard {self.title!r}"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Way:
    """One way to tell somebody, by Alertmanager's name for it (`slack`, `email` ...)."""

    kind: str
    sends_resolved: bool
    place: Place
    node: Node | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Receiver:
    """A named set of ways."""

    name: str
    ways: tuple[Way, ...]
    place: Place


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Route:
    """A node of the routing tree. Times are None where they are inherited."""

    receiver: str
    matchers: tuple[Matcher, ...]
    place: Place
    group_by: tuple[str, ...] | None = None
    group_wait_seconds: float | None = None
    group_interval_seconds: float | None = None
    repeat_interval_seconds: float | None = None
    continues: bool = False
    children: tuple[Route, ...] = ()
    intervals: tuple[str, ...] = ()

    def walk(self) -> Iterator[Route]:
        """Give the node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Inhibition:
    """While an alert matches `source`, those that match `target` are not sent."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Routing:
    """An Alertmanager configuration."""

    receivers: tuple[Receiver, ...]
    route: Route | None
    inhibitions: tuple[Inhibition, ...]
    place: Place
    intervals: tuple[str, ...] = ()
    node: Node | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Emission:
    """What code does with a metric that it declares: the calls that record it.

    `set_to` holds the method calls whose result a gauge is set to, each with its place.
    """

    metric: KnownMetric
    recorded: bool
    set_to: tuple[tuple[str, Place], ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place that cannot be read, and why."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How often is scraped and evaluated; labels that Prometheus adds for everybody else."""

    scrape_seconds: float = 15
    evaluation_seconds: float = 15
    external_labels: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False, kw_only=True)
class Subjects:
    """Everything that was read."""

    groups: tuple[Group, ...] = ()
    dashboards: tuple[Dashboard, ...] = ()
    routings: tuple[Routing, ...] = ()
    queries: tuple[Query, ...] = ()
    declared: tuple[KnownMetric, ...] = ()
    emissions: tuple[Emission, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    documents: tuple[Node, ...] = ()
    timing: Timing | None = None

    @property
    def alerts(self) -> list[Alert]:
        """Every alerting rule."""
        return [alert for group in self.groups for alert in group.alerts]

    @property
    def recordings(self) -> list[Recording]:
        """Every recording rule."""
        return [recording for group in self.groups for recording in group.recordings]

    @property
    def panels(self) -> list[Panel]:
        """Every panel."""
        return [panel for dashboard in self.dashboards for panel in dashboard.panels]

    @property
    def all_queries(self) -> list[Query]:
        """Every expression, whatever it is for."""
        rules = [rule.query for group in self.groups for rule in group.rules]
        targets = [target.query for panel in self.panels for target in panel.targets]
        variables = [query for dashboard in self.dashboards for query in dashboard.variables]
        return [*rules, *targets, *variables, *self.queries]

    def __add__(self, other: Subjects) -> Subjects:
        """Return both sets as one."""
        return Subjects(
            groups=self.groups + other.groups,
            dashboards=self.dashboards + other.dashboards,
            routings=self.routings + other.routings,
            queries=self.queries + other.queries,
            declared=self.declared + other.declared,
            emissions=self.emissions + other.emissions,
            unreadable=self.unreadable + other.unreadable,
            sources={**self.sources, **other.sources},
            documents=self.documents + other.documents,
            timing=self.timing or other.timing,
        )
