"""A query's tree as the JSON of Prometheus' parse_query.

Source: prometheus/prometheus, web/api/v1, "parse_query", as its page reads it.
"""

from __future__ import annotations

from typing import Any

from watchkeeper.errors import QueryError
from watchkeeper.promql.durations import duration_ms
from watchkeeper.promql.grid import Grid
from watchkeeper.promql.literals import format_number
from watchkeeper.promql.signatures import FUNCTIONS, SET_OPERATORS, Signature
from watchkeeper.promql.syntax import (
    Aggregate,
    At,
    Binary,
    Call,
    Duration,
    Expression,
    MatrixSelector,
    Number,
    Parens,
    String,
    Subquery,
    Unary,
    VectorSelector,
    Window,
)

_TYPES = {"instant vector": "vector", "range vector": "matrix"}
_NOW = Grid(0, 0, 1)


def tree_json(node: Expression) -> dict[str, Any]:
    """Return a node and everything below it; durations are milliseconds."""
    match node:
        case Number(value=value):
            return {"type": "numberLiteral", "val": format_number(value)}
        case String(value=text):
            return {"type": "stringLiteral", "val": text}
        case VectorSelector():
            return {"type": "vectorSelector", **_selector(node)}
        case MatrixSelector():
            reach = {"range": _milliseconds(node.range)}
            return {"type": "matrixSelector", **_selector(node.vector), **reach}
        case Subquery():
            return {
                "type": "subquery",
                "expr": tree_json(node.expression),
                "range": _milliseconds(node.range),
                "step": _milliseconds(node.step),
                **_moment(node.at, node.offset),
            }
        case Parens(expression=inner):
            return {"type": "parenExpr", "expr": tree_json(inner)}
        case Unary(operator=operator, operand=inner):
            return {"type": "unaryExpr", "op": operator, "expr": tree_json(inner)}
    return _compound(node)


def _compound(node: Binary | Call | Aggregate) -> dict[str, Any]:
    match node:
        case Binary():
            return {
                "type": "binaryExpr",
                "op": node.operator,
                "lhs": tree_json(node.left),
                "rhs": tree_json(node.right),
                "matching": _matching(node),
                "bool": node.returns_bool,
            }
        case Call():
            return {
                "type": "call",
                "func": _function(FUNCTIONS[node.name]),
                "args": [tree_json(argument) for argument in node.arguments],
            }
        case Aggregate():
            parameter = node.parameter
            return {
                "type": "aggregation",
                "op": node.operator,
                "expr": tree_json(node.expression),
                "param": None if parameter is None else tree_json(parameter),
                "grouping": list(node.grouping),
                "without": node.without,
            }


def _selector(node: VectorSelector) -> dict[str, Any]:
    matchers = [
        {"name": one.name, "value": one.value, "type": str(one.operator)}
        for one in node.all_matchers
    ]
    return {
        "name": node.name,
        "matchers": matchers,
        "anchored": node.window is Window.ANCHORED,
        "smoothed": node.window is Window.SMOOTHED,
        **_moment(node.at, node.offset),
    }


def _moment(at: At | None, offset: Duration | None) -> dict[str, Any]:
    fixed = at is not None and not at.bound
    return {
        "offset": _milliseconds(offset),
        "timestamp": round(at.seconds * 1000) if at is not None and fixed else None,
        "startOrEnd": at.bound if at is not None and at.bound else None,
    }


def _milliseconds(duration: Duration | None) -> int:
    """Return a duration; one that depends on the query's own range is 0 here."""
    if duration is None:
        return 0
    try:
        return duration_ms(duration, _NOW)
    except QueryError:
        return 0


def _matching(node: Binary) -> dict[str, Any] | None:
    matching = node.matching
    if isinstance(node.left, Number) or isinstance(node.right, Number):
        return None
    card = {"left": "many-to-one", "right": "one-to-many"}.get(matching.group, "one-to-one")
    return {
        "card": "many-to-many" if node.operator in SET_OPERATORS else card,
        "labels": list(matching.labels),
        "on": matching.on,
        "include": list(matching.include),
    }


def _function(signature: Signature) -> dict[str, Any]:
    variadic = signature.optional + signature.repeats if signature.repeats >= 0 else -1
    return {
        "name": signature.name,
        "argTypes": [_TYPES.get(one, str(one)) for one in signature.arguments],
        "variadic": variadic,
        "returnType": _TYPES.get(signature.result, str(signature.result)),
    }
