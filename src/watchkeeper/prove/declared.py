"""What may exist: the declared metrics, the targets that emit them, and Prometheus' own series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from watchkeeper.contract import Contract, Gauge, Histogram, Label, Metric
from watchkeeper.matching import predicate
from watchkeeper.model import METRIC_NAME, Labels, Matcher, labels
from watchkeeper.promql.syntax import VectorSelector
from watchkeeper.prove.label_values import closed_values, named_values
from watchkeeper.prove.motion import Stream
from watchkeeper.wire.family import format_bound

TARGET_LABELS = ("instance", "job", "service")
"""What a scrape adds; `service` is what the rendered prometheus.yml adds."""

OF_PROMETHEUS = (
    Gauge(name="up", help="1 if the last scrape of the target succeeded, else 0."),
    Gauge(name="scrape_duration_seconds", help="Time of the last scrape.", unit="seconds"),
    Gauge(name="scrape_samples_scraped", help="Samples of the last scrape."),
)
"""Series that Prometheus makes for every target (prometheus.io, "Jobs and instances")."""

DOMAINS: Mapping[str, tuple[float, ...]] = {"up": (0.0, 1.0)}
"""The only values that a gauge can take, where that is certain."""


@dataclass(frozen=True, slots=True)
class Target:
    """One scraped process."""

    job: str
    instance: str
    service: str = ""

    @property
    def labels(self) -> Labels:
        """What a scrape of it adds to every series."""
        return labels({"job": self.job, "instance": self.instance, "service": self.service})


@dataclass(frozen=True)
class Declared:
    """The metrics of a contract by the names of their samples, and who is scraped."""

    metrics: Mapping[str, Metric]
    jobs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    service: str = ""

    @classmethod
    def of(cls, contract: Contract) -> Declared:
        """Return what a contract declares."""
        metrics = (*OF_PROMETHEUS, *contract.signals.metrics)
        return cls(
            {name: metric for metric in metrics for name in metric.sample_names},
            {job.name: job.targets for job in contract.scrape_jobs},
            contract.service,
        )

    def targets(
        self, matchers: Sequence[Matcher], job_count: int, instance_count: int
    ) -> list[Target]:
        """Return targets of `job_count` jobs, those that matchers name among them."""
        named = [value for one in matchers if one.name == "job" for value in named_values(one)]
        known = list(self.jobs) or [*dict.fromkeys(named), "service", "other-service"]
        first = [job for job in known if job in named]
        chosen = first + [job for job in known if job not in first][: max(0, job_count)]
        instances = [
            value for one in matchers if one.name == "instance" for value in named_values(one)
        ]
        return [
            Target(job, instance, self.service)
            for job in chosen
            for instance in self._instances(job, instances, instance_count)
        ]

    def _instances(self, job: str, named: list[str], count: int) -> list[str]:
        known = dict.fromkeys((*self.jobs.get(job, ()), *named))
        invented = (f"{job}-{number}:8000" for number in range(1, count + 2))
        for instance in invented:
            if len(known) >= count:
                break
            known[instance] = None
        return list(known)

    def why_nothing(self, selector: VectorSelector) -> str:
        """Return why no declared series can match a selector; empty if one can."""
        name = selector.metric_name
        if not name:
            return "a selector names no metric: no declaration says what it may find"
        metric = self.metrics.get(name)
        if metric is None:
            return f"the contract declares no metric {name}"
        for matcher in selector.matchers:
            reason = self._why_not(metric, name, matcher)
            if reason:
                return reason
        return ""

    def _why_not(self, metric: Metric, name: str, matcher: Matcher) -> str:
        test = predicate(matcher)
        shown = f'{matcher.name}{matcher.operator}"{matcher.value}"'
        if matcher.name == METRIC_NAME or (test("") and matcher.name not in metric.label_names):
            return ""
        if matcher.name == "le" and isinstance(metric, Histogram):
            bounds = [*map(format_bound, metric.buckets), "+Inf"]
            if any(test(bound) for bound in bounds):
                return ""
            return f"{name} has no bucket that {shown} takes; its bounds: {', '.join(bounds)}"
        if matcher.name in TARGET_LABELS:
            if matcher.name == "job" and self.jobs and not any(map(test, self.jobs)):
                return f"no scrape job is taken by {shown}; the jobs: {', '.join(self.jobs)}"
            return ""
        label = next((one for one in metric.labels if one.name == matcher.name), None)
        if label is None:
            known = ", ".join(metric.label_names) or "none"
            return f"{name} has no label {matcher.name}; its labels: {known}"
        return _why_no_value(label, name, shown, closed_values(label), test)


def _why_no_value(label: Label, name: str, shown: str, values: Iterable[str], test: object) -> str:
    values = tuple(values)
    if not values or any(test(value) for value in values):  # type: ignore[operator]
        return ""
    return f"{name}: no declared value of {label.name} is taken by {shown}: {', '.join(values)}"


def stream_of(metric: Metric, sample_name: str, own: Labels) -> Stream:
    """Return the stream that carries a sample; a histogram's samples share one."""
    if isinstance(metric, Histogram):
        return Stream(metric.name, metric.type, own, metric.buckets)
    return Stream(sample_name, metric.type, own)
