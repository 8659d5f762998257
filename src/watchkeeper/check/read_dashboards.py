"""Grafana dashboards as subjects: today's schema, the older ones, and the HTTP API's wrapper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from watchkeeper.check.document import Node
from watchkeeper.check.query import Query, Role, query_of
from watchkeeper.check.source import Place, Text
from watchkeeper.check.subject import Dashboard, Panel, Subjects, Target
from watchkeeper.promql.syntax import Aggregate

_LABEL_VALUES = re.compile(r"\s*label_values\(\s*(?:(?P<metric>.+),)?\s*(?P<label>\w+)\s*\)\s*\Z")
_QUERY_RESULT = re.compile(r"\s*query_result\((?P<metric>.+)\)\s*\Z", re.DOTALL)
_OTHER_STORES = re.compile(
    r"loki|elastic|tempo|jaeger|influx|graphite|sql|cloudwatch|zipkin|pyroscope|opensearch",
    re.IGNORECASE,
)


def is_dashboard(document: Node) -> bool:
    """Whether a JSON document is a dashboard or wraps one."""
    inner = document.get("dashboard") or document
    return inner.get("panels") is not None or inner.get("rows") is not None


def read_dashboard(document: Node) -> Subjects:
    """Return the dashboard that a JSON document is, or wraps."""
    inner = document.get("dashboard")
    wrapper = document if inner is not None else None
    node = inner or document
    title = node.string("title")
    place = _place(node, "title")
    panels = tuple(_panel(one, title) for one in _panels(node))
    return Subjects(
        dashboards=(
            Dashboard(
                title=title,
                place=place,
                panels=panels,
                variables=tuple(_variables(node, title)),
                node=node,
                wrapper=wrapper,
            ),
        )
    )


def _place(node: Node, name: str) -> Place:
    found = node.get(name)
    return found.text.place() if found is not None else node.name_place


def _panels(node: Node) -> Iterator[Node]:
    """Give every panel, those of rows too, as old and new schemas hold them."""
    for row in node.elements("rows"):
        yield from row.elements("panels")
    for panel in node.elements("panels"):
        if panel.string("type") != "row":
            yield panel
        yield from panel.elements("panels")


def _panel(node: Node, dashboard: str) -> Panel:
    title = node.string("title")
    subject = f"panel {title!r} of {dashboard!r}"
    unit = _unit(node)
    return Panel(
        title=title,
        kind=node.string("type"),
        place=_place(node, "title"),
        dashboard=dashboard,
        description=node.string("description"),
        unit=unit.raw if unit is not None else "",
        unit_place=unit.text.place() if unit is not None else None,
        thresholds=tuple(_thresholds(node)),
        minimum=node.number("fieldConfig", "defaults", "min"),
        maximum=node.number("fieldConfig", "defaults", "max"),
        targets=tuple(_targets(node, subject)),
        node=node,
    )


def _unit(node: Node) -> Node | None:
    unit = node.get("fieldConfig", "defaults", "unit")
    if unit is not None:
        return unit
    for axis in node.elements("yaxes"):
        return axis.get("format")
    return node.get("format")


def _thresholds(node: Node) -> Iterator[float]:
    mode = node.string("fieldConfig", "defaults", "thresholds", "mode")
    if mode != "percentage":
        for step in node.elements("fieldConfig", "defaults", "thresholds", "steps"):
            value = step.number("value")
            if value is not None:
                yield value
    for text in node.string("thresholds").split(","):
        if re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", text):
            yield float(text)


def _targets(node: Node, subject: str) -> Iterator[Target]:
    store = _store(node)
    for target in node.elements("targets"):
        expression = target.get("expr")
        if expression is None or not expression.raw.strip():
            continue
        if _OTHER_STORES.search(_store(target) or store):
            continue
        legend = target.get("legendFormat")
        yield Target(
            query=query_of(expression.text, Role.PANEL, subject, dashboard=True),
            legend=legend.text if legend is not None else None,
            node=target,
        )


def _store(node: Node) -> str:
    return node.string("datasource") or node.string("datasource", "type")


def _variables(node: Node, dashboard: str) -> Iterator[Query]:
    for variable in node.elements("templating", "list"):
        if variable.string("type") != "query" or _OTHER_STORES.search(_store(variable)):
            continue
        query = variable.get("query")
        if query is not None and isinstance(query.value, dict):
            query = query.get("query")
        if query is None or not isinstance(query.value, str):
            continue
        subject = f"variable {variable.string('name')!r} of {dashboard!r}"
        read = variable_query(query.text, subject)
        if read is not None:
            yield read


def variable_query(text: Text, subject: str) -> Query | None:
    """Return what a variable's query selects; None where it asks for no series."""
    found = _LABEL_VALUES.match(text.value) or _QUERY_RESULT.match(text.value)
    if found is None or found["metric"] is None:
        return None
    start, end = found.span("metric")
    blanked = " " * start + text.value[start:end] + " " * (len(text.value) - end)
    read = query_of(replace(text, value=blanked), Role.VARIABLE, subject, dashboard=True)
    tree, label = read.tree, found.groupdict().get("label")
    if tree is not None and label:
        tree = Aggregate("group", tree, None, (label,), start=start, end=end)
    return replace(read, text=text, tree=tree)
