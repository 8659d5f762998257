"""Checks of templates: what notifications and labels say, and whether it can be said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from watchkeeper.check.alerts import RUNBOOKS
from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.finding import Severity
from watchkeeper.check.source import Text
from watchkeeper.check.subject import Alert
from watchkeeper.check.unit import PERCENT, RATIO, SECONDS, TIMESTAMP, Unit
from watchkeeper.errors import ConfigError
from watchkeeper.promql.suggestion import suggest
from watchkeeper.rules.rule import TEMPLATE_VARIABLES
from watchkeeper.templates import compile, prometheus_functions

_FUNCTIONS = frozenset(prometheus_functions(lambda _: ()))
_LABEL = re.compile(r"\$labels\.(\w+)|\bindex\s+\$labels\s+\"(\w+)\"|(?<![\w$)])\.Labels\.(\w+)")
_VALUE = re.compile(r"\{\{[^}]*(?:\$value|\.Value)\b[^}]*\}\}")
_FILE = re.compile(r"([\w./-]+\.(?:md|rst|html|txt|adoc))(?:#([\w-]+))?")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LOCAL = re.compile(r"\{\{-?\s*(?:range|with)\b")
_HUMANIZED: dict[str, tuple[str, ...]] = {
    "humanizePercentage": (RATIO,),
    "humanizeDuration": (SECONDS,),
    "humanizeTimestamp": (TIMESTAMP,),
}
_WRITTEN = (
    (re.compile(r"s(?![\w/])"), (SECONDS,), "s"),
    (re.compile(r"\s?%"), (PERCENT,), "%"),
    (re.compile(r"\s?(?:GB|GiB)\b"), ("gibibytes", "gigabytes"), "GB"),
    (re.compile(r"\s?(?:MB|MiB)\b"), ("mebibytes", "megabytes"), "MB"),
    (re.compile(r"\s?ms\b"), ("milliseconds",), "ms"),
)


def _syntax(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        for name, text in alert.texts:
            try:
                compile(
                    text.value,
                    name=name,
                    functions=_FUNCTIONS,
                    variables=TEMPLATE_VARIABLES,
                )
            except ConfigError as error:
                yield Problem(text.place(), alert.subject, f"{name}: {error}")


def _missing_labels(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        labels = examined.root(alert.query).labels
        for name, text in alert.texts:
            for found, label in _references(text):
                if labels.may_have(label) or label == "alertname":
                    continue
                yield Problem(
                    text.place(found.start(), found.end()),
                    alert.subject,
                    f"{name} says {label!r}, which the result of the expression does not have"
                    f"{suggest(label, labels.possible or ())}",
                )


def _references(text: Text) -> Iterator[tuple[re.Match[str], str]]:
    """Give the labels of the alert that a template reads; those of other samples are left out."""
    local = _LOCAL.search(text.value) is not None
    for found in _LABEL.finditer(text.value):
        label = found[1] or found[2] or found[3]
        if found[3] and local:
            continue
        yield found, label


def _values_in_labels(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        for name, text in alert.labels.items():
            if _VALUE.search(text.value):
                yield Problem(
                    text.place(), alert.subject, f"the label {name!r} changes with the value"
                )


def _wrong_units(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        unit = examined.root(alert.query).unit
        if unit is None:
            continue
        for name, text in alert.annotations.items():
            for found in _VALUE.finditer(text.value):
                wrong = _disagreement(found[0], text.value[found.end() :], unit)
                if wrong:
                    place = text.place(found.start(), found.end())
                    message = f"{name} {wrong}, and the value is {_shown(unit)}"
                    yield Problem(place, alert.subject, message)


def _shown(unit: Unit) -> str:
    if unit == Unit(RATIO):
        return "a ratio from 0 to 1"
    return f"in {unit}"


def _disagreement(template: str, after: str, unit: Unit) -> str:
    for function, units in _HUMANIZED.items():
        if function in template:
            fits = unit.name in units and not unit.per_second
            return "" if fits or _is_share(unit, units) else f"shows it by {function}"
    if "humanize1024" in template or "humanize" in template:
        return ""
    for pattern, units, sign in _WRITTEN:
        if pattern.match(after):
            fits = unit.name in units and not unit.per_second
            return "" if fits else f"writes {sign!r} behind it"
    return ""


def _is_share(unit: Unit, wanted: tuple[str, ...]) -> bool:
    """Seconds a second are a share of time."""
    return wanted == (RATIO,) and unit == Unit(SECONDS, per_second=True)


def _bare_values(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        for name, text in _computed(examined, alert):
            for found in re.finditer(r"\{\{\s*\$value\s*\}\}", text.value):
                yield Problem(
                    text.place(found.start(), found.end()),
                    alert.subject,
                    f"{name} shows a computed number with all its digits",
                )


def _dead_runbooks(examined: Examined) -> Iterator[Problem]:
    for alert in examined.subjects.alerts:
        for name, text in alert.annotations.items():
            found = _FILE.fullmatch(text.value.strip())
            if name not in RUNBOOKS or found is None:
                continue
            wrong = _dead_link(found[1], found[2] or "", Path(text.source.name))
            if wrong:
                yield Problem(text.place(), alert.subject, wrong)


def _dead_link(path: str, anchor: str, declared_in: Path) -> str:
    """Return what is wrong with a link into the repository.

    It is looked up from where the command runs and from above a rule file. A contract names its
    runbooks before they are written: of it only a heading that is missing is told.
    """
    is_code = declared_in.suffix == ".py"
    for directory in (Path(),) if is_code else (Path(), *declared_in.parents):
        target = directory / path
        if target.is_file():
            headings = _HEADING.findall(target.read_text(encoding="utf-8", errors="replace"))
            anchors = {heading.strip().lower().replace(" ", "-") for heading in headings}
            missing = anchor and target.suffix == ".md" and anchor not in anchors
            return f"{path} has no heading {anchor!r}" if missing else ""
    return "" if is_code else f"there is no file {path}"


def _computed(examined: Examined, alert: Alert) -> list[tuple[str, Text]]:
    shape = examined.root(alert.query)
    return list(alert.annotations.items()) if shape.sort in ("rate", "mean", "quantile") else []


CHECKS = (
    Check(
        id="template-syntax",
        severity=Severity.ERROR,
        reason="A template that does not parse makes Prometheus refuse the file.",
        repair="Correct the template.",
        find=_syntax,
    ),
    Check(
        id="template-label-missing",
        severity=Severity.ERROR,
        reason="The label is not on the result: the text has a hole where it should be.",
        repair="Keep the label in the aggregation, or leave it out of the text.",
        find=_missing_labels,
    ),
    Check(
        id="value-in-label",
        severity=Severity.ERROR,
        reason="With every new value it is another alert, and `for` begins anew.",
        repair="Put the value into an annotation.",
        find=_values_in_labels,
    ),
    Check(
        id="annotation-unit",
        severity=Severity.WARNING,
        reason="People read another number than was measured.",
        repair="Use the function for the unit: humanizePercentage for ratios, humanizeDuration for "
        "seconds, humanize1024 for bytes.",
        find=_wrong_units,
    ),
    Check(
        id="dead-runbook",
        severity=Severity.WARNING,
        reason="Who is woken follows the link and finds nothing.",
        repair="Write the runbook, or correct the path and the heading.",
        find=_dead_runbooks,
    ),
    Check(
        id="bare-value",
        severity=Severity.INFO,
        reason="0.07342857142857143 is hard to read at night.",
        repair="Write {{ $value | humanize }} or {{ $value | humanizePercentage }}.",
        find=_bare_values,
    ),
)
