"""Checks of rules beyond their expression: labels, annotations, time, names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem, at, own_labels
from watchkeeper.check.finding import Severity
from watchkeeper.check.shape import Sort
from watchkeeper.check.source import Edit
from watchkeeper.check.subject import Alert
from watchkeeper.check.thresholds import is_watchdog, thresholds
from watchkeeper.promql import VectorSelector

RUNBOOKS = ("runbook_url", "runbook", "runbookURL", "runbook_link", "playbook", "playbook_url")
SUMMARIES = ("summary", "description", "message", "title")
OWNERS = ("team", "owner", "squad", "owned_by")
_KINDS = frozenset({"type", "kind", "area"})
_CAMEL = re.compile(r"[A-Z][A-Za-z0-9]*\Z")
_LOOKBACK_SECONDS = 300
"""How far Prometheus looks back for the last sample of a series."""


def _without(alert: Alert, names: tuple[str, ...], *, label: bool = False) -> bool:
    texts = {**alert.labels, **({} if label else alert.annotations)}
    return not any(name in texts and texts[name].value.strip() for name in names)


def _missing_severities(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        if _without(alert, ("severity", "priority", "level"), label=True):
            yield _of(alert, "has no label `severity`")


def _missing_runbooks(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        if _without(alert, RUNBOOKS) and not is_watchdog(alert):
            yield _of(alert, "has no annotation `runbook_url`")


def _missing_summaries(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        if _without(alert, SUMMARIES):
            yield _of(alert, "has neither `summary` nor `description`")


def _missing_owners(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        if _without(alert, (*OWNERS, "service")):
            yield _of(alert, "has no label that says whose it is")


def _of(alert: Alert, message: str) -> Problem:
    return Problem(alert.name.place(), alert.subject, message)


def _short_patience(examined: Examined) -> Iterator[Problem]:
    timing = examined.timing
    least = 2 * max(timing.scrape_seconds, timing.evaluation_seconds)
    by_query = {id(alert.query): alert for alert in examined.subjects.alerts}
    for alert in examined.subjects.alerts:
        if 0 < alert.for_seconds < least and alert.duration is not None:
            yield Problem(
                alert.duration.place(),
                alert.subject,
                f"`for` is {alert.for_seconds:g} s: less than two scrapes or evaluations, so one "
                "bad sample is enough",
            )
    for one in thresholds(examined):
        owner = by_query.get(id(one.query))
        if owner is None or owner.for_seconds or owner.keep_firing_for_seconds:
            continue
        counts_faults = one.operator in (">", "!=") and one.value == 0
        if one.shape.sort is Sort.GAUGE and not counts_faults and not is_watchdog(owner):
            yield _of(owner, "has no `for`, and looks at one sample only")


def _needless_patience(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        duration, node = alert.duration, alert.node
        if duration is None or alert.for_seconds or node is None or duration.value != "0s":
            continue
        written = node.get("for")
        fix: tuple[Edit, ...] = ()
        if written is not None and written.key is not None:
            source = written.source
            start = source.start_of(source.place(written.key[0], written.key[0]).line)
            end = source.text.find("\n", written.end) + 1
            if end and not source.text[start : written.key[0]].strip():
                fix = (Edit(source.name, start, end, ""),)
        yield Problem(duration.place(), alert.subject, "`for: 0s` is what is meant without it", fix)


def _duplicates(examined: Examined) -> Iterator[Problem]:
    seen: dict[tuple[object, ...], str] = {}
    for group in examined.subjects.groups:
        for rule in group.rules:
            labels = tuple(sorted((name, text.value) for name, text in rule.labels.items()))
            expression = " ".join(rule.query.text.value.split())
            key = (group.object_kind, type(rule).__name__, rule.name.value, expression, labels)
            if key in seen:
                yield Problem(
                    rule.name.place(), rule.query.subject, f"is the same as that of {seen[key]}"
                )
            seen.setdefault(key, f"{rule.name.place()}")


def _late_recordings(examined: Examined) -> Iterator[Problem]:
    for group in examined.subjects.groups:
        places = {
            rule.name.value: number
            for number, rule in enumerate(group.rules)
            if rule in group.recordings
        }
        for number, rule in enumerate(group.rules):
            for node in rule.query.nodes():
                if not isinstance(node, VectorSelector):
                    continue
                if places.get(node.metric_name, -1) > number:
                    yield at(
                        rule.query,
                        node,
                        f"{node.metric_name} is recorded further down in the group: this sees the "
                        "value of the evaluation before",
                    )


def _sparse_recordings(examined: Examined) -> Iterator[Problem]:
    for group in examined.subjects.groups:
        if group.interval_seconds > _LOOKBACK_SECONDS and group.recordings:
            yield Problem(
                group.name.place(),
                f"group {group.name.value}",
                f"records every {group.interval_seconds:g} s, and Prometheus looks back "
                f"{_LOOKBACK_SECONDS} s",
            )


def _label_conflicts(examined: Examined) -> Iterator[Problem]:
    external = examined.timing.external_labels
    for alert in examined.subjects.alerts:
        for name, text in alert.labels.items():
            if name in external:
                yield Problem(
                    text.place(), alert.subject, f"sets {name!r}, which is an external label too"
                )
    for recording in examined.subjects.recordings:
        for name, text in recording.labels.items():
            if name in external:
                yield Problem(
                    text.place(),
                    recording.query.subject,
                    f"sets {name!r}, which is an external label too",
                )


def _alert_names(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        if not _CAMEL.match(alert.name.value):
            yield _of(alert, f"{alert.name.value!r} is not in CamelCase")


def _recording_names(examined: Examined) -> Iterator[Problem]:
    for recording in examined.subjects.recordings:
        name = recording.name.value
        if ":" not in name.strip(":"):
            yield Problem(
                recording.name.place(),
                recording.query.subject,
                f"{name} looks like a metric that somebody emits",
            )


def _mixed_kinds(examined: Examined) -> Iterator[Problem]:
    for one in thresholds(examined):
        shape = one.shape
        if shape.sort is not Sort.GAUGE or shape.grouped or one.query.role != "alert":
            continue
        kinds = sorted(own_labels(shape) & _KINDS)
        if kinds and shape.metrics:
            values = shape.labels.values.get(kinds[0])
            shown = f" ({', '.join(sorted(values))})" if values else ""
            yield at(
                one.query,
                one.node,
                f"{shape.metrics[0].name} has one series a {kinds[0]}{shown}: one threshold is "
                "held against each of them",
            )


def _same_identity(examined: Examined) -> Iterator[Problem]:
    for group in examined.subjects.groups:
        seen: dict[tuple[object, ...], Alert] = {}
        for alert in group.alerts:
            labels = tuple(sorted((name, text.value) for name, text in alert.labels.items()))
            other = seen.setdefault((alert.name.value, labels), alert)
            if other.query.tree != alert.query.tree:
                place = other.name.place()
                yield _of(alert, f"has the name and the labels of the one at {place}")


CHECKS = (
    Check(
        id="alert-without-severity",
        severity=Severity.ERROR,
        reason="Without a severity no route can tell what must wake somebody.",
        repair="Add the label: `severity: critical` or `severity: warning`.",
        find=_missing_severities,
    ),
    Check(
        id="alert-without-runbook",
        severity=Severity.WARNING,
        reason="Who is woken has to find out what to do.",
        repair="Add the annotation `runbook_url` and write what to look at and what to do.",
        find=_missing_runbooks,
    ),
    Check(
        id="alert-without-summary",
        severity=Severity.WARNING,
        reason="The notification says a name and no more.",
        repair="Add the annotations `summary` and `description`.",
        find=_missing_summaries,
    ),
    Check(
        id="alert-without-owner",
        severity=Severity.INFO,
        reason="Nobody knows who keeps the alert, or whom to ask.",
        repair="Add a label `team`.",
        find=_missing_owners,
    ),
    Check(
        id="for-too-short",
        severity=Severity.WARNING,
        reason="One late or wrong sample tells somebody.",
        repair="Set `for` to at least two scrapes and two evaluations.",
        find=_short_patience,
    ),
    Check(
        id="needless-for",
        severity=Severity.WARNING,
        reason="It says nothing.",
        repair="Leave it out.",
        find=_needless_patience,
        fixes=True,
    ),
    Check(
        id="duplicate-rule",
        severity=Severity.WARNING,
        reason="The same rule twice tells people twice, or fails to record.",
        repair="Delete one.",
        find=_duplicates,
    ),
    Check(
        id="indistinct-alert",
        severity=Severity.WARNING,
        reason="Alertmanager takes alerts with the same labels for one alert.",
        repair="Give them different names or a label that differs.",
        find=_same_identity,
    ),
    Check(
        id="rule-order",
        severity=Severity.WARNING,
        reason="Rules of a group are evaluated one after the other.",
        repair="Move the recording rule above what uses it.",
        find=_late_recordings,
    ),
    Check(
        id="interval-over-lookback",
        severity=Severity.WARNING,
        reason="Between two evaluations the recorded series are absent.",
        repair="Evaluate at least every five minutes, or read with last_over_time().",
        find=_sparse_recordings,
    ),
    Check(
        id="external-label-conflict",
        severity=Severity.ERROR,
        reason="Alertmanager and other stores see the one or the other.",
        repair="Give the label another name.",
        find=_label_conflicts,
    ),
    Check(
        id="alert-name-style",
        severity=Severity.INFO,
        reason="Prometheus' own practice is CamelCase, without spaces.",
        repair="Write it like HighErrorRate.",
        find=_alert_names,
    ),
    Check(
        id="recording-rule-name",
        severity=Severity.WARNING,
        reason="level:metric:operations tells what was recorded from what was measured.",
        repair="Name it like job:http_requests:rate5m.",
        find=_recording_names,
    ),
    Check(
        id="mixed-kinds",
        severity=Severity.WARNING,
        reason="What is of different kinds is not held against the same number.",
        repair='Select one kind, {type="rss"}, or aggregate: sum by (job) (...).',
        find=_mixed_kinds,
    ),
)
