"""Prometheus rule files, read strictly: what cannot be evaluated is refused with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from watchkeeper.configuration import Duration, convert, read_yaml
from watchkeeper.errors import ConfigError, QueryError
from watchkeeper.rules.rule import (
    TEMPLATE_VARIABLES,
    AlertingRule,
    RecordingRule,
    Rule,
    RuleGroup,
)
from watchkeeper.templates import Template, compile, prometheus_functions

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_FUNCTIONS = frozenset(prometheus_functions(lambda _: ()))


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    expr: str | int | float
    record: str = ""
    alert: str = ""
    for_: Duration | None = msgspec.field(name="for", default=None)
    keep_firing_for: Duration | None = None
    labels: dict[str, str | int | float | bool] = {}
    annotations: dict[str, str] = {}


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    rules: list[_Rule] = []
    interval: Duration | None = None
    query_offset: Duration | None = None
    limit: int = 0
    labels: dict[str, str] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    groups: list[_Group] = []


def load_rules(
    paths: Iterable[Path], *, parse: Callable[[str], object] | None = None
) -> tuple[RuleGroup, ...]:
    """Return the groups of rule files, in order.

    `parse` checks an expression and raises QueryError where it is wrong. Raises ConfigError
    that names file and place: unknown keys, broken templates, a group given twice.
    """
    return tuple(group for path in paths for group in _Reader(Path(path), parse).groups())


class _Reader:
    def __init__(self, path: Path, parse: Callable[[str], object] | None) -> None:
        self._source = str(path)
        self._parse = parse
        self._document = read_yaml(path)

    def groups(self) -> Sequence[RuleGroup]:
        if self._document is None:
            return ()
        file = convert(self._document, _File, source=self._source)
        names = [group.name for group in file.groups]
        groups: list[RuleGroup] = []
        for position, group in enumerate(file.groups):
            path = f"$.groups[{position}]"
            if group.name in names[:position]:
                raise self._error(f"group {group.name!r} is given twice in this file", path)
            if not group.name:
                raise self._error("a group needs a name", path)
            groups.append(self._group(group, path))
        return groups

    def _group(self, group: _Group, path: str) -> RuleGroup:
        if group.query_offset:
            raise self._error("query_offset is not supported: remove it", path)
        return RuleGroup(
            name=group.name,
            file=self._source,
            interval_seconds=float(group.interval or 0),
            limit=group.limit,
            rules=tuple(
                self._rule(rule, group.labels, f"{path}.rules[{position}]")
                for position, rule in enumerate(group.rules)
            ),
        )

    def _rule(self, rule: _Rule, group_labels: Mapping[str, str], path: str) -> Rule:
        if bool(rule.record) == bool(rule.alert):
            raise self._error("a rule has either `record` or `alert`", path)
        expression = str(rule.expr).strip()
        self._check_expression(expression, f"{path}.expr")
        labels = {**group_labels, **{name: _plain(value) for name, value in rule.labels.items()}}
        for name in (*labels, *rule.annotations):
            if not _LABEL_NAME.match(name):
                raise self._error(f"{name!r} is not a name of a label or annotation", path)
        if "__name__" in labels:
            raise self._error("a rule cannot set the label __name__", f"{path}.labels")
        return (
            self._record(rule, expression, labels, path)
            if rule.record
            else self._alert(rule, expression, labels, path)
        )

    def _record(
        self, rule: _Rule, expression: str, labels: Mapping[str, str], path: str
    ) -> RecordingRule:
        for key, value in (
            ("for", rule.for_),
            ("keep_firing_for", rule.keep_firing_for),
            ("annotations", rule.annotations),
        ):
            if value:
                raise self._error(f"`{key}` belongs to alerts, not to a recording rule", path)
        if not _METRIC_NAME.match(rule.record):
            raise self._error(f"{rule.record!r} is not a metric name", f"{path}.record")
        return RecordingRule(name=rule.record, expression=expression, labels=labels)

    def _alert(
        self, rule: _Rule, expression: str, labels: Mapping[str, str], path: str
    ) -> AlertingRule:
        return AlertingRule(
            name=rule.alert,
            expression=expression,
            for_seconds=float(rule.for_ or 0),
            keep_firing_for_seconds=float(rule.keep_firing_for or 0),
            labels=self._templates(rule.alert, labels, f"{path}.labels"),
            annotations=self._templates(rule.alert, rule.annotations, f"{path}.annotations"),
        )

    def _templates(
        self, alert: str, sources: Mapping[str, str], path: str
    ) -> Mapping[str, Template]:
        templates: dict[str, Template] = {}
        for name, source in sources.items():
            try:
                templates[name] = compile(
                    source, name=alert, functions=_FUNCTIONS, variables=TEMPLATE_VARIABLES
                )
            except ConfigError as error:
                raise self._error(str(error), f"{path}.{name}") from None
        return templates

    def _check_expression(self, expression: str, path: str) -> None:
        if not expression:
            raise self._error("the expression is empty", path)
        if self._parse is None:
            return
        try:
            self._parse(expression)
        except QueryError as error:
            raise self._error(str(error), path) from None

    def _error(self, reason: str, path: str) -> ConfigError:
        return ConfigError(reason, source=self._source, path=path)


def _plain(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
