"""The catalogue: one Markdown document on everything that a contract declares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchkeeper.catalogue.emitters import Emitters
from watchkeeper.catalogue.links import runbook_link
from watchkeeper.catalogue.usage import Usage, usages
from watchkeeper.catalogue.weight import (
    LOG_LINE_BYTES,
    SPAN_BYTES,
    bytes_a_day,
    shown_bytes,
)
from watchkeeper.contract import Contract, Histogram, Label, Metric

UNKNOWN_EMITTER = "no module that was found"


def catalogue(contract: Contract, emitters: Emitters, *, folder: str = "docs") -> str:
    """Return the Markdown. `folder` is where it will lie, for links to the runbooks."""
    lines = [
        f"# Catalogue of {contract.service}",
        "",
        "Rendered from the contract by `watchkeeper docs`: change the contract instead.",
        "",
        *_weight(contract),
        "",
        *_metrics(contract, emitters),
        *_spans(contract, emitters),
        *_events(contract, emitters),
        *_alerts(contract, folder),
        *_objectives(contract),
        *_drills(contract),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _weight(contract: Contract) -> Iterator[str]:
    series = sum(metric.most_series for metric in contract.signals.metrics)
    weight = sum(bytes_a_day(contract, metric) for metric in contract.signals.metrics)
    yield (
        f"{len(contract.signals.metrics)} metrics, {len(contract.signals.spans)} spans and"
        f" {len(contract.signals.events)} log events. At the very worst, with every label at its"
        f" limit, one process has {series:,} series: {shown_bytes(weight)} a day, scraped every"
        f" {contract.scrape_interval_seconds:g} s. A span takes {SPAN_BYTES} bytes, a log line"
        f" {LOG_LINE_BYTES}."
    )


def _metrics(contract: Contract, emitters: Emitters) -> Iterator[str]:
    used = usages(contract)
    yield "## Metrics"
    for metric in contract.signals.metrics:
        yield from ("", f"### {metric.name}", "", metric.help, "")
        yield f"- {_kind(metric)}"
        for label in metric.labels:
            yield f"- `{label.name}`: {_values(label)}"
        yield f"- Emitted by: {_modules(emitters.get(metric.name, ()))}"
        yield from _usage(used[metric.name])
        yield (
            f"- At the worst: {metric.most_series:,} series,"
            f" {shown_bytes(bytes_a_day(contract, metric))} a day"
        )
    yield ""


def _kind(metric: Metric) -> str:
    unit = f" in {metric.unit}" if metric.unit else ""
    buckets = ""
    if isinstance(metric, Histogram):
        buckets = ", buckets up to " + ", ".join(f"{bound:g}" for bound in metric.buckets)
    return f"{metric.type.value.capitalize()}{unit}{buckets}"


def _values(label: Label) -> str:
    if label.values:
        return ", ".join(f"`{value}`" for value in label.values)
    pattern = f" like `{label.pattern}`" if label.pattern else ""
    return f"at most {label.limit} values{pattern}"


def _usage(usage: Usage) -> Iterator[str]:
    for title, names in (
        ("Alerts", usage.alerts),
        ("Objectives", usage.objectives),
        ("Panels", usage.panels),
    ):
        if names:
            yield f"- {title}: {', '.join(dict.fromkeys(names))}"
    if usage.is_empty:
        yield "- Used by nothing"


def _modules(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or UNKNOWN_EMITTER


def _spans(contract: Contract, emitters: Emitters) -> Iterator[str]:
    if not contract.signals.spans:
        return
    yield from ("## Spans", "", "| span | kind | meaning | attributes | emitted by |")
    yield "|---|---|---|---|---|"
    for span in contract.signals.spans:
        attributes = ", ".join(f"`{name}`" for name in span.attributes)
        modules = _modules(emitters.get(span.name, ()))
        kind = span.kind.name.lower()
        yield f"| {span.name} | {kind} | {_cell(span.help)} | {attributes} | {modules} |"
    yield ""


def _events(contract: Contract, emitters: Emitters) -> Iterator[str]:
    if not contract.signals.events:
        return
    yield from ("## Log events", "", "| event | level | message | fields | emitted by |")
    yield "|---|---|---|---|---|"
    for event in contract.signals.events:
        fields = ", ".join(f"`{field.name}` {field.type.__name__}" for field in event.fields)
        modules = _modules(emitters.get(event.name, ()))
        level = event.severity.name.lower()
        yield f"| {event.name} | {level} | {_cell(event.message)} | {fields} | {modules} |"
    yield ""


def _alerts(contract: Contract, folder: str) -> Iterator[str]:
    if not contract.alerts:
        return
    yield from ("## Alerts", "", "| alert | severity | for | what it says | runbook | drill |")
    yield "|---|---|---|---|---|---|"
    for alert in contract.alerts:
        summary = _cell(alert.summary.replace("{{ $labels.", "<").replace(" }}", ">"))
        summary = summary.replace("<", "`").replace(">", "`")
        yield (
            f"| {alert.name} | {alert.severity} | {alert.for_seconds:g} s | {summary}"
            f" | {runbook_link(alert.runbook, folder)} | {alert.drill} |"
        )
    yield ""


def _objectives(contract: Contract) -> Iterator[str]:
    if contract.slos:
        yield from ("## Objectives", "", "| SLO | objective | days | what is promised |")
        yield "|---|---|---|---|"
        for slo in contract.slos:
            yield (
                f"| {slo.name} | {slo.objective * 100:g} % | {slo.window_days}"
                f" | {_cell(slo.description)} |"
            )
        yield ""
    if contract.budgets:
        yield from ("## Budgets", "", "| budget | US dollars | in | for each | what is paid for |")
        yield "|---|---|---|---|---|"
        for budget in contract.budgets:
            yield (
                f"| {budget.name} | {budget.amount:g} | {budget.period}"
                f" | {', '.join(budget.by)} | {_cell(budget.description)} |"
            )
        yield ""


def _drills(contract: Contract) -> Iterator[str]:
    if contract.drills:
        yield from ("## Drills", "", "| drill | what goes wrong | alerts that it proves |")
        yield "|---|---|---|"
        for drill in contract.drills:
            yield f"| {drill.name} | {_cell(drill.help)} | {', '.join(drill.proves)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
