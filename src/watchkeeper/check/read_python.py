"""Python code that declares prometheus_client metrics: what it declares, and what it records."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import isfinite

from watchkeeper.check.document import DocumentError
from watchkeeper.check.known import KnownLabel, KnownMetric
from watchkeeper.check.source import Place, Source, Text
from watchkeeper.check.subject import Emission
from watchkeeper.model import MetricType

_TYPES = {
    "Counter": MetricType.COUNTER,
    "Gauge": MetricType.GAUGE,
    "Histogram": MetricType.HISTOGRAM,
    "Summary": MetricType.SUMMARY,
}
_DEFAULT_BUCKETS = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0),
)
"""Those of prometheus_client where a histogram names none."""


def declares_metrics(source: Source) -> bool:
    """Whether a Python file declares metrics of prometheus_client."""
    return "prometheus_client" in source.text


def read_python(trees: list[tuple[Source, ast.Module]]) -> tuple[Emission, ...]:
    """Return what the files declare, and whether any of them records it."""
    emissions = []
    uses = _Uses()
    for source, tree in trees:
        uses.visit_file(source, tree)
    for source, tree in trees:
        for variable, call in _declarations(tree):
            metric = _metric(call, source)
            if metric is not None:
                recorded = variable is None or variable in uses.names
                set_to = tuple(uses.set_to.get(variable or "", ()))
                emissions.append(Emission(metric=metric, recorded=recorded, set_to=set_to))
    return tuple(emissions)


def parsed(source: Source) -> ast.Module:
    """Return a file's tree. Raises DocumentError where it is not Python."""
    try:
        return ast.parse(source.text)
    except SyntaxError as error:
        offset = sum(len(line) + 1 for line in source.text.split("\n")[: (error.lineno or 1) - 1])
        raise DocumentError(f"is not Python: {error.msg}", offset) from None


class _Uses(ast.NodeVisitor):
    """The names that code loads, and what gauges are set to."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.set_to: dict[str, list[tuple[str, Place]]] = {}
        self._source = Source("", "")

    def visit_file(self, source: Source, tree: ast.Module) -> None:
        self._source = source
        self.visit(tree)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.names.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.names.add(node.attr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        target = node.func
        if isinstance(target, ast.Attribute) and target.attr == "set" and node.args:
            gauge, value = target.value, node.args[0]
            if isinstance(gauge, ast.Name) and isinstance(value, ast.Call):
                called = ast.unparse(value.func).rpartition(".")[2]
                place = self._source.place(*offsets(self._source, node))
                self.set_to.setdefault(gauge.id, []).append((called, place))
        self.generic_visit(node)


def _declarations(tree: ast.Module) -> Iterator[tuple[str | None, ast.Call]]:
    """Give calls of metric classes with the name that they are bound to, if any."""
    bound: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    bound[id(node.value)] = target.id
                elif isinstance(target, ast.Attribute):
                    bound[id(node.value)] = target.attr
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _class_of(node) in _TYPES:
            yield bound.get(id(node)), node


def _class_of(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _metric(call: ast.Call, source: Source) -> KnownMetric | None:
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    for parameter, value in zip(("name", "documentation", "labelnames"), call.args, strict=False):
        given.setdefault(parameter, value)
    name_node = given.get("name")
    literal = _constant(name_node)
    if not isinstance(literal, str) or name_node is None:
        return None
    name: str = literal
    kind = _TYPES[_class_of(call)]
    if kind is MetricType.COUNTER and not name.endswith("_total"):
        name += "_total"
    labels = _constant(given.get("labelnames"))
    buckets = _constant(given.get("buckets"))
    start, end = offsets(source, name_node)
    return KnownMetric(
        name=name,
        type=kind,
        labels={one: KnownLabel(one) for one in _names(labels)},
        help=str(_constant(given.get("documentation")) or ""),
        buckets=_bounds(buckets) if kind is MetricType.HISTOGRAM else (),
        origin="code",
        complete=labels is not None or "labelnames" not in given,
        declared=Text(name, source, start, end, exact=False),
    )


def _names(labels: object) -> list[str]:
    return (
        [one for one in labels if isinstance(one, str)] if isinstance(labels, list | tuple) else []
    )


def _bounds(buckets: object) -> tuple[float, ...]:
    if not isinstance(buckets, list | tuple):
        return _DEFAULT_BUCKETS
    numbers = [float(one) for one in buckets if isinstance(one, int | float)]
    return tuple(sorted(one for one in numbers if isfinite(one)))


def _constant(node: ast.expr | None) -> object:
    """Return the value of a literal; None where code would have to run."""
    if node is None:
        return None
    try:
        value: object = ast.literal_eval(node)
    except ValueError:
        return None
    return value


def offsets(source: Source, node: ast.expr | ast.keyword) -> tuple[int, int]:
    """Return where a part of Python code begins and ends in its text."""
    return (
        _offset(source, node.lineno, node.col_offset),
        _offset(source, node.end_lineno or node.lineno, node.end_col_offset or 0),
    )


def _offset(source: Source, line: int, column_bytes: int) -> int:
    text = source.line(line)
    start = source.start_of(line)
    return start + len(text.encode()[:column_bytes].decode(errors="ignore"))
