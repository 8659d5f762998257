"""Checks of dashboards: schema, panels, data sources, variables, legends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem, own_labels
from watchkeeper.check.document import Node
from watchkeeper.check.finding import Severity
from watchkeeper.check.inference import RATES
from watchkeeper.check.query import Role
from watchkeeper.check.source import Edit
from watchkeeper.check.subject import Dashboard, Panel, Target
from watchkeeper.promql.syntax import Aggregate, Call, MatrixSelector

REPLACED = {
    "graph": "timeseries",
    "singlestat": "stat",
    "table-old": "table",
    "grafana-singlestat-panel": "stat",
    "grafana-piechart-panel": "piechart",
    "grafana-worldmap-panel": "geomap",
}
"""Panel types that Grafana removed (Angular, gone in 12), and what took their place."""

_TEXTUAL = frozenset({"text", "row", "news", "dashlist", "alertlist", "welcome", "annolist"})
_NO_UNIT = _TEXTUAL | {"logs", "nodeGraph", "table", "traces", "canvas", "state-timeline"}
_SINGLE = frozenset({"stat", "gauge", "singlestat", "bargauge"})
_OLDEST_SCHEMA = 36
"""Grafana 9; older schemas are migrated whenever they are opened."""

_USE = re.compile(r"\$\{(\w+)[^}]*\}|\[\[(\w+)[^\]]*\]\]|\$(\w+)")
_LEGEND = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_BUILT_IN = re.compile(r"__\w+|timeFilter|interval|timezone|\d+")
_COLUMNS = 24


def _files(examined: Examined) -> Iterator[tuple[Dashboard, Node]]:
    for dashboard in examined.subjects.dashboards:
        if dashboard.node is not None:
            yield dashboard, dashboard.node


def _panels(examined: Examined) -> Iterator[tuple[Panel, Node]]:
    for panel in examined.subjects.panels:
        if panel.node is not None and panel.node.get("libraryPanel") is None:
            yield panel, panel.node


def _on(panel: Panel, message: str, fix: tuple[Edit, ...] = ()) -> Problem:
    return Problem(panel.place, panel.subject, message, fix)


def _removed_types(examined: Examined) -> Iterator[Problem]:
    for panel, node in _panels(examined):
        kind = node.get("type")
        if kind is not None and panel.kind in REPLACED:
            new = REPLACED[panel.kind]
            fix = kind.text.edit(0, len(kind.raw), new)
            yield Problem(
                kind.text.place(), panel.subject, f"{panel.kind!r} is gone: it is {new!r} now", fix
            )


def _wrapped(examined: Examined) -> Iterator[Problem]:
    for dashboard, node in _files(examined):
        wrapper = dashboard.wrapper
        if wrapper is not None and node.key is not None:
            fix = (
                Edit(wrapper.source.name, wrapper.start, node.start, ""),
                Edit(wrapper.source.name, node.end, wrapper.end, ""),
            )
            place = wrapper.source.place(*node.key)
            yield Problem(place, dashboard.subject, "is wrapped for the HTTP API", fix)


def _old_schemas(examined: Examined) -> Iterator[Problem]:
    for dashboard, node in _files(examined):
        version = node.number("schemaVersion")
        if node.get("rows") is not None:
            rows = node.get("rows")
            assert rows is not None
            yield Problem(rows.name_place, dashboard.subject, "holds its panels in `rows`")
        elif version is None:
            yield Problem(dashboard.place, dashboard.subject, "names no schemaVersion")
        elif version < _OLDEST_SCHEMA:
            written = node.get("schemaVersion")
            assert written is not None
            yield Problem(
                written.text.place(), dashboard.subject, f"is of schema version {version:g}"
            )


def _without_uid(examined: Examined) -> Iterator[Problem]:
    for dashboard, node in _files(examined):
        if not node.string("uid"):
            yield Problem(dashboard.place, dashboard.subject, "has no uid")


def _without_description(examined: Examined) -> Iterator[Problem]:
    for panel, _ in _panels(examined):
        if not panel.description.strip() and panel.kind not in _TEXTUAL:
            yield _on(panel, "has no description")


def _without_title(examined: Examined) -> Iterator[Problem]:
    for panel, _ in _panels(examined):
        if not panel.title.strip() and panel.kind not in _TEXTUAL:
            yield _on(panel, "has no title")
    for dashboard, _ in _files(examined):
        if not dashboard.title.strip():
            yield Problem(dashboard.place, dashboard.subject, "has no title")


def _without_unit(examined: Examined) -> Iterator[Problem]:
    for panel in examined.subjects.panels:
        if panel.unit or panel.kind in _NO_UNIT or not panel.targets:
            continue
        if panel.node is not None and panel.node.elements("fieldConfig", "overrides"):
            continue
        if panel.node is not None and panel.node.elements("fieldConfig", "defaults", "mappings"):
            continue
        yield _on(panel, "has no unit")


def _without_thresholds(examined: Examined) -> Iterator[Problem]:
    for panel, node in _panels(examined):
        if panel.kind in _SINGLE and not panel.thresholds:
            steps = node.elements("fieldConfig", "defaults", "thresholds", "steps")
            if len(steps) < 2:
                yield _on(panel, "shows a number, and not whether it is good")


def _without_queries(examined: Examined) -> Iterator[Problem]:
    for panel, node in _panels(examined):
        if panel.kind not in _TEXTUAL and not node.elements("targets"):
            yield _on(panel, "asks for nothing")


def _without_data_source(examined: Examined) -> Iterator[Problem]:
    for panel, node in _panels(examined):
        nodes = [node, *(one.node for one in panel.targets if one.node is not None)]
        if not panel.targets or any(_names_source(one) for one in nodes):
            continue
        yield _on(panel, "names no data source")


def _names_source(node: Node) -> bool:
    source = node.get("datasource")
    return source is not None and source.value is not None


def _fixed_data_source(examined: Examined) -> Iterator[Problem]:
    for panel, node in _panels(examined):
        uid = node.string("datasource", "uid") or node.string("datasource")
        if panel.targets and uid and "$" not in uid and not uid.startswith("-- "):
            place = (node.get("datasource") or node).name_place
            yield Problem(place, panel.subject, f"is bound to the data source {uid!r}")


def _undefined_variables(examined: Examined) -> Iterator[Problem]:
    for dashboard, node in _files(examined):
        known = {one.string("name") for one in node.elements("templating", "list")}
        for panel in dashboard.panels:
            for target in panel.targets:
                for found in _USE.finditer(target.query.text.value):
                    name = found[1] or found[2] or found[3]
                    if name not in known and not _BUILT_IN.fullmatch(name):
                        yield Problem(
                            target.query.text.place(found.start(), found.end()),
                            panel.subject,
                            f"there is no variable {name!r}",
                        )


def _unused_variables(examined: Examined) -> Iterator[Problem]:
    for dashboard, node in _files(examined):
        text = node.source.text[node.start : node.end]
        for variable in node.elements("templating", "list"):
            name = variable.string("name")
            used = re.search(rf"\$\{{?{re.escape(name)}\b|\[\[{re.escape(name)}\b", text)
            offered = variable.scalar("hide") != "2"
            applied = variable.string("type") in ("adhoc", "datasource")
            if name and used is None and offered and not applied:
                yield Problem(
                    variable.name_place, dashboard.subject, f"nothing uses the variable {name!r}"
                )


def _stale_variables(examined: Examined) -> Iterator[Problem]:
    for dashboard, node in _files(examined):
        for variable in node.elements("templating", "list"):
            refresh = variable.get("refresh")
            if variable.string("type") != "query" or (refresh and refresh.raw in ("1", "2")):
                continue
            name = variable.string("name")
            message = f"the variable {name!r} is asked for once and never again"
            yield Problem((refresh or variable).name_place, dashboard.subject, message)


def _interval_in_rates(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call, Role.PANEL):
        argument = node.arguments[-1] if node.arguments else None
        if node.name not in RATES or not isinstance(argument, MatrixSelector):
            continue
        if query.variable_of(argument.range) not in ("__interval", "interval"):
            continue
        variable = next(one for one in query.variables if one.start >= argument.range.start)
        yield Problem(
            query.text.place(variable.start, variable.end),
            query.subject,
            "$__interval may be shorter than two scrapes",
            query.text.edit(variable.start, variable.end, "$__rate_interval"),
        )


def _fixed_ranges(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Call, Role.PANEL):
        argument = node.arguments[-1] if node.arguments else None
        if node.name not in ("rate", "irate") or not isinstance(argument, MatrixSelector):
            continue
        if not query.variable_of(argument.range) and query.text.exact:
            start, end = argument.range.start, argument.range.end
            written = query.text.value[start:end]
            yield Problem(
                query.text.place(start, end),
                query.subject,
                f"looks at {written}, however far the panel is zoomed out or in",
            )


def _duplicate_ids(examined: Examined) -> Iterator[Problem]:
    for dashboard, _ in _files(examined):
        seen: dict[str, str] = {}
        for panel in dashboard.panels:
            identifier = panel.node.scalar("id") if panel.node is not None else ""
            if identifier and identifier in seen:
                yield _on(panel, f"has the id {identifier} of {seen[identifier]!r}")
            seen.setdefault(identifier, panel.title)
            yield from _duplicate_targets(panel)


def _duplicate_targets(panel: Panel) -> Iterator[Problem]:
    seen: set[str] = set()
    for target in panel.node.elements("targets") if panel.node is not None else []:
        name = target.string("refId")
        if name and name in seen:
            yield Problem(target.name_place, panel.subject, f"has two queries {name!r}")
        seen.add(name)


def _overlaps(examined: Examined) -> Iterator[Problem]:
    for dashboard, node in _files(examined):
        boxes: list[tuple[float, float, float, float, str]] = []
        for one in node.elements("panels"):
            box = [one.number("gridPos", name) for name in "xywh"]
            if None in box:
                continue
            x, y, width, height = (float(value or 0) for value in box)
            title = one.string("title")
            if x + width > _COLUMNS:
                message = f"panel {title!r} ends beyond the {_COLUMNS} columns"
                yield Problem(one.name_place, dashboard.subject, message)
            for x2, y2, width2, height2, other in boxes:
                if x < x2 + width2 and x2 < x + width and y < y2 + height2 and y2 < y + height:
                    message = f"panel {title!r} lies over {other!r}"
                    yield Problem(one.name_place, dashboard.subject, message)
                    break
            boxes.append((x, y, width, height, title))


def _alike_legends(examined: Examined) -> Iterator[Problem]:
    for panel in examined.subjects.panels:
        for target in panel.targets:
            legend = target.legend.value if target.legend is not None else ""
            if not legend or "{{" in legend or "$" in legend or legend == "__auto":
                continue
            if target.query.tree is None or panel.kind in ("table", "heatmap"):
                continue
            apart = _told_apart(examined, target)
            if apart:
                assert target.legend is not None
                yield Problem(
                    target.legend.place(),
                    panel.subject,
                    f"one series for every {', '.join(apart)}, and all are called {legend!r}",
                )


def _told_apart(examined: Examined, target: Target) -> list[str]:
    query = target.query
    if any(isinstance(node, Aggregate) and not node.grouping for node in query.nodes()):
        return []
    return sorted(own_labels(examined.root(query)) - {"le"})


def _holes_in_legends(examined: Examined) -> Iterator[Problem]:
    for panel in examined.subjects.panels:
        for target in panel.targets:
            if target.legend is None or target.query.tree is None:
                continue
            labels = examined.root(target.query).labels
            for found in _LEGEND.finditer(target.legend.value):
                if found[1] == "__name__" or labels.may_have(found[1]):
                    continue
                yield Problem(
                    target.legend.place(found.start(), found.end()),
                    panel.subject,
                    f"the result has no label {found[1]!r}",
                )


def _editable(examined: Examined) -> Iterator[Problem]:
    for dashboard, node in _files(examined):
        editable = node.get("editable")
        if editable is None or editable.value is not False:
            yield Problem(dashboard.place, dashboard.subject, "can be edited in Grafana")


CHECKS = (
    Check(
        id="removed-panel-type",
        severity=Severity.ERROR,
        reason="Grafana no longer has this panel type: the panel stays empty.",
        repair="Use the type that took its place.",
        find=_removed_types,
        fixes=True,
    ),
    Check(
        id="wrapped-dashboard",
        severity=Severity.WARNING,
        reason='Provisioning reads the dashboard itself, not {"dashboard": {...}}.',
        repair="Keep the inner object only.",
        find=_wrapped,
        fixes=True,
    ),
    Check(
        id="old-dashboard-schema",
        severity=Severity.WARNING,
        reason="Grafana migrates it on every load, and not everything survives.",
        repair="Open it in a current Grafana, save it and export it again.",
        find=_old_schemas,
    ),
    Check(
        id="dashboard-without-uid",
        severity=Severity.WARNING,
        reason="Links, and updates by provisioning, find a dashboard by its uid.",
        repair="Give it a uid of your own.",
        find=_without_uid,
    ),
    Check(
        id="panel-without-description",
        severity=Severity.INFO,
        reason="Who looks at it for the first time does not know how to read it.",
        repair="Say what is shown and what is good.",
        find=_without_description,
    ),
    Check(
        id="missing-title",
        severity=Severity.WARNING,
        reason="Nobody knows what is shown.",
        repair="Give it a title.",
        find=_without_title,
    ),
    Check(
        id="panel-without-unit",
        severity=Severity.WARNING,
        reason="A number without a unit is read wrongly.",
        repair="Set fieldConfig.defaults.unit: s, bytes, reqps, percentunit, short ...",
        find=_without_unit,
    ),
    Check(
        id="panel-without-thresholds",
        severity=Severity.INFO,
        reason="A single number needs a colour that says whether it is good.",
        repair="Set fieldConfig.defaults.thresholds.",
        find=_without_thresholds,
    ),
    Check(
        id="panel-without-queries",
        severity=Severity.WARNING,
        reason="The panel shows nothing.",
        repair="Add a query, or delete the panel.",
        find=_without_queries,
    ),
    Check(
        id="panel-without-data-source",
        severity=Severity.WARNING,
        reason="It asks whatever is the default where it is loaded.",
        repair='Add "datasource": {"type": "prometheus", "uid": "${datasource}"}.',
        find=_without_data_source,
    ),
    Check(
        id="fixed-data-source",
        severity=Severity.INFO,
        reason="The same dashboard cannot be used elsewhere.",
        repair="Use a variable of type datasource: ${datasource}.",
        find=_fixed_data_source,
    ),
    Check(
        id="undefined-variable",
        severity=Severity.ERROR,
        reason="Grafana sends the text as it stands, and Prometheus does not understand it.",
        repair="Define the variable under templating, or correct its name.",
        find=_undefined_variables,
    ),
    Check(
        id="unused-variable",
        severity=Severity.WARNING,
        reason="People choose a value, and nothing changes.",
        repair="Use it in the queries, or delete it.",
        find=_unused_variables,
    ),
    Check(
        id="stale-variable",
        severity=Severity.INFO,
        reason="Targets that come later are not offered.",
        repair='Set "refresh": 2, on change of the time range.',
        find=_stale_variables,
    ),
    Check(
        id="interval-in-rate",
        severity=Severity.WARNING,
        reason="On a wide screen $__interval is shorter than two scrapes, and the panel is empty.",
        repair="Use $__rate_interval.",
        find=_interval_in_rates,
        fixes=True,
    ),
    Check(
        id="fixed-range-in-panel",
        severity=Severity.INFO,
        reason="Zoomed out, a short range leaves most samples out of sight.",
        repair="Use $__rate_interval, which grows with the step.",
        find=_fixed_ranges,
    ),
    Check(
        id="duplicate-panel-id",
        severity=Severity.WARNING,
        reason="Links and repeated queries find the first one.",
        repair="Give each its own.",
        find=_duplicate_ids,
    ),
    Check(
        id="overlapping-panels",
        severity=Severity.WARNING,
        reason="Grafana moves panels that lie over each other, and each time otherwise.",
        repair="Correct gridPos.",
        find=_overlaps,
    ),
    Check(
        id="legend-alike",
        severity=Severity.WARNING,
        reason="Several lines with one name cannot be told apart, or one number hides the others.",
        repair="Aggregate, or name the label in the legend: {{label}}.",
        find=_alike_legends,
    ),
    Check(
        id="legend-label-missing",
        severity=Severity.ERROR,
        reason="The label is not on the result: the legend has a hole.",
        repair="Keep the label in the aggregation, or name another.",
        find=_holes_in_legends,
    ),
    Check(
        id="editable-dashboard",
        severity=Severity.INFO,
        reason="What is changed in Grafana is lost with the next deploy.",
        repair='Set "editable": false.',
        find=_editable,
    ),
)
