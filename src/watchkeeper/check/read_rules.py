"""Prometheus rule files, and PrometheusRule objects, as subjects."""

from __future__ import annotations

from collections.abc import Mapping

from watchkeeper.check.document import Node
from watchkeeper.check.query import Role, query_of
from watchkeeper.check.source import Text
from watchkeeper.check.subject import Alert, Group, Recording, Subjects, Unreadable
from watchkeeper.configuration import Duration

_RULE_KEYS = frozenset(
    {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
)
_GROUP_KEYS = frozenset(
    {"name", "interval", "query_offset", "limit", "rules", "labels"}
    | {"partial_response_strategy", "source_tenants", "evaluation_delay"}
    | {"align_evaluation_time_on_interval", "concurrency", "params", "headers", "type"}
)
"""Prometheus' keys, and those that Thanos, Mimir and VictoriaMetrics add."""


def read_rules(document: Node) -> Subjects:
    """Return the groups of a document that has `groups`, or holds them as `spec`."""
    return _Reader().read(document)


class _Reader:
    def __init__(self) -> None:
        self._unreadable: list[Unreadable] = []

    def read(self, document: Node) -> Subjects:
        body = document.get("spec") or document
        kind = document.string("kind")
        groups = tuple(self._group(node, kind) for node in body.elements("groups"))
        names: set[str] = set()
        for group in groups:
            if group.name.value in names:
                self._refuse(group.node, f"the group {group.name.value!r} is given twice")
            names.add(group.name.value)
        return Subjects(groups=groups, unreadable=tuple(self._unreadable))

    def _refuse(self, node: Node | None, reason: str) -> None:
        if node is not None:
            self._unreadable.append(Unreadable(node.name_place, reason))

    def _only(self, node: Node, keys: frozenset[str], what: str) -> None:
        for name, value in node.items():
            if name not in keys:
                self._refuse(value, f"{what} has no key {name!r}")

    def _group(self, node: Node, kind: str) -> Group:
        self._only(node, _GROUP_KEYS, "a rule group")
        if not node.string("name"):
            self._refuse(node, "a rule group needs a name")
        shared = _texts(node.get("labels"))
        rules = [self._rule(one, shared) for one in node.elements("rules")]
        return Group(
            name=_text(node, "name"),
            rules=tuple(rule for rule in rules if rule is not None),
            interval_seconds=self._seconds(node.get("interval")),
            object_kind=kind,
            node=node,
        )

    def _rule(self, node: Node, shared: Mapping[str, Text]) -> Alert | Recording | None:
        self._only(node, _RULE_KEYS, "a rule")
        alert, record, expression = node.get("alert"), node.get("record"), node.get("expr")
        if (alert is None) == (record is None):
            self._refuse(node, "a rule has either `alert` or `record`")
            return None
        if expression is None or not expression.raw.strip():
            self._refuse(node, "a rule needs an expression: `expr`")
            return None
        labels = {**shared, **_texts(node.get("labels"))}
        if record is not None:
            for key in ("for", "keep_firing_for", "annotations"):
                self._refuse(node.get(key), f"`{key}` belongs to alerts, not to a recording rule")
            query = query_of(expression.text, Role.RECORDING, f"rule {record.raw}")
            return Recording(name=record.text, query=query, labels=labels, node=node)
        assert alert is not None
        duration = node.get("for")
        return Alert(
            name=alert.text,
            query=query_of(expression.text, Role.ALERT, f"alert {alert.raw}"),
            labels=labels,
            annotations=_texts(node.get("annotations")),
            for_seconds=self._seconds(duration),
            duration=duration.text if duration is not None else None,
            keep_firing_for_seconds=self._seconds(node.get("keep_firing_for")),
            node=node,
        )

    def _seconds(self, node: Node | None) -> float:
        if node is None:
            return 0.0
        try:
            return float(Duration.parse(node.raw))
        except ValueError as error:
            self._refuse(node, str(error))
            return 0.0


def _text(node: Node, name: str) -> Text:
    found = node.get(name)
    return found.text if found is not None else Text("", node.source, node.start, node.start + 1)


def _texts(node: Node | None) -> dict[str, Text]:
    if node is None:
        return {}
    return {name: value.text for name, value in node.items()}
