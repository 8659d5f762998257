"""Checks of declared metrics: names, units, labels, and how many series they can make.

Sources: Prometheus, "Metric and label naming" and "Instrumentation"; OpenMetrics 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.finding import Severity
from watchkeeper.check.known import KnownMetric
from watchkeeper.check.source import Place
from watchkeeper.check.unit import unit_by_name
from watchkeeper.model import MetricType

_NOT_BASE = {
    "milliseconds": "seconds",
    "microseconds": "seconds",
    "nanoseconds": "seconds",
    "ms": "seconds",
    "minutes": "seconds",
    "hours": "seconds",
    "days": "seconds",
    "kilobytes": "bytes",
    "megabytes": "bytes",
    "gigabytes": "bytes",
    "kb": "bytes",
    "mb": "bytes",
    "gb": "bytes",
    "bits": "bytes",
    "percent": "ratio",
    "percentage": "ratio",
    "fahrenheit": "celsius",
}
_TYPE_WORDS = frozenset({"gauge", "counter", "histogram", "summary"})
_UNBOUNDED = re.compile(
    r"(?:.*_)?(?:user_?id|userid|customer_?id|account_?id|session_?id|request_?id|trace_?id|"
    r"span_?id|order_?id|job_?id|task_?id|message_?id|uuid|guid|email|phone|ip|ip_address|"
    r"client_ip|remote_addr|url|uri|full_path|query|sql|user_agent|token|timestamp)\Z"
)
_CAMEL = re.compile(r"[a-z0-9][A-Z]")
_PARTS = ("_total", "_info", "_created")


def _declared(examined: Examined) -> Iterator[tuple[KnownMetric, Place]]:
    for metric in examined.subjects.declared:
        if metric.declared is not None:
            yield metric, metric.declared.place()


def _on(metric: KnownMetric, place: Place, message: str) -> Problem:
    return Problem(place, f"metric {metric.name}", message)


def _totals_missing(examined: Examined) -> Iterator[Problem]:
    for metric, place in _declared(examined):
        if metric.type is MetricType.COUNTER and not metric.name.endswith("_total"):
            yield _on(metric, place, "is a counter, and does not end in _total")


def _totals_misused(examined: Examined) -> Iterator[Problem]:
    for metric, place in _declared(examined):
        if metric.type is MetricType.GAUGE and metric.name.endswith("_total"):
            yield _on(metric, place, "goes up and down, and ends in _total as counters do")


def _other_units(examined: Examined) -> Iterator[Problem]:
    for metric, place in _declared(examined):
        name = metric.name
        for part in _PARTS:
            name = name.removesuffix(part)
        last = name.rpartition("_")[2].lower()
        if last in _NOT_BASE:
            yield _on(metric, place, f"is in {last}; Prometheus' base unit is {_NOT_BASE[last]}")


def _units_unnamed(examined: Examined) -> Iterator[Problem]:
    for metric, place in _declared(examined):
        name = metric.name.removesuffix("_total")
        if metric.unit and not name.endswith(f"_{metric.unit}") and name != metric.unit:
            named = unit_by_name(metric.name)
            said = f"and its name says {named}" if named else "and its name does not say so"
            if metric.unit not in name.split("_"):
                yield _on(metric, place, f"is in {metric.unit}, {said}")


def _odd_names(examined: Examined) -> Iterator[Problem]:
    for metric, place in _declared(examined):
        words = metric.name.lower().split("_")
        if _CAMEL.search(metric.name) or metric.name != metric.name.lower():
            yield _on(metric, place, "is not in lower_snake_case")
        if ":" in metric.name:
            yield _on(metric, place, "has a colon, which is for recording rules")
        for word in sorted(_TYPE_WORDS & {words[0], words[-1]}):
            yield _on(metric, place, f"says its type, {word}, in its name")
        for label in metric.labels:
            if _CAMEL.search(label):
                yield _on(metric, place, f"has the label {label!r}, not in lower_snake_case")


def _reserved_suffixes(examined: Examined) -> Iterator[Problem]:
    for metric, place in _declared(examined):
        for suffix in ("_bucket", "_count", "_sum", "_created"):
            if metric.name.endswith(suffix) and metric.type in (
                MetricType.COUNTER,
                MetricType.GAUGE,
            ):
                yield _on(metric, place, f"ends in {suffix}, which histograms and summaries own")


def _helpless(examined: Examined) -> Iterator[Problem]:
    for metric, place in _declared(examined):
        if not metric.help.strip():
            yield _on(metric, place, "has no help text")


def _unbounded_labels(examined: Examined) -> Iterator[Problem]:
    for metric, place in _declared(examined):
        for label in metric.labels.values():
            if label.values is None and not label.limit and _UNBOUNDED.match(label.name):
                message = f"has a series for every {label.name}: their number has no bound"
                yield _on(metric, place, message)


def _colliding_labels(examined: Examined) -> Iterator[Problem]:
    for metric, place in _declared(examined):
        for label in metric.labels:
            if label in ("job", "instance"):
                message = f"has the label {label!r}, which becomes exported_{label} when scraped"
                yield _on(metric, place, message)


def _too_many_series(examined: Examined) -> Iterator[Problem]:
    limit = examined.parameter("too-many-series.most")
    for metric, place in _declared(examined):
        if metric.origin == "contract" and metric.most_series > limit:
            message = f"can have {metric.most_series:,} series in one process"
            yield _on(metric, place, message)


CHECKS = (
    Check(
        id="counter-without-total",
        severity=Severity.WARNING,
        reason="OpenMetrics names every counter so, and readers expect it.",
        repair="Let the name end in _total.",
        find=_totals_missing,
    ),
    Check(
        id="gauge-named-total",
        severity=Severity.WARNING,
        reason="Who reads the name takes it for a counter and puts it into rate().",
        repair="Leave _total out of the name.",
        find=_totals_misused,
    ),
    Check(
        id="non-base-unit",
        severity=Severity.WARNING,
        reason="With one unit for each quantity nobody has to convert.",
        repair="Measure in seconds, bytes or ratios, and let dashboards format it.",
        find=_other_units,
    ),
    Check(
        id="unit-not-in-name",
        severity=Severity.WARNING,
        reason="The name is all that people see in an expression.",
        repair="Let the name end in its unit: _seconds, _bytes (before _total).",
        find=_units_unnamed,
    ),
    Check(
        id="metric-name-style",
        severity=Severity.WARNING,
        reason="Names that follow one practice are found and understood.",
        repair="Write lower_snake_case, without the type and without colons.",
        find=_odd_names,
    ),
    Check(
        id="reserved-suffix",
        severity=Severity.WARNING,
        reason="It looks like a part of a histogram that does not exist.",
        repair="Choose another ending.",
        find=_reserved_suffixes,
    ),
    Check(
        id="metric-without-help",
        severity=Severity.WARNING,
        reason="Nobody knows what exactly was counted.",
        repair="Say in the help text what it counts or measures.",
        find=_helpless,
    ),
    Check(
        id="unbounded-label",
        severity=Severity.ERROR,
        reason="Every new value is a new series, for ever: memory grows until the store is killed.",
        repair="Use a class instead of an id (user_type), or put the id into logs and traces.",
        find=_unbounded_labels,
    ),
    Check(
        id="label-of-target",
        severity=Severity.WARNING,
        reason="Prometheus sets job and instance itself.",
        repair="Give the label another name.",
        find=_colliding_labels,
    ),
    Check(
        id="too-many-series",
        severity=Severity.WARNING,
        reason="Each series costs memory in the process and in the store.",
        repair="List the values of its labels, or set lower limits.",
        find=_too_many_series,
        parameters={"most": 500_000},
    ),
)
