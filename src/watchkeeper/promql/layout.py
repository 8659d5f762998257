"""A query laid out for reading: short parts on one line, long ones opened and indented."""

from __future__ import annotations

from watchkeeper.promql.printer import aggregate_head, binary_operator, format, subquery_suffix
from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Parens,
    Subquery,
    Unary,
)
from watchkeeper.promql.walk import children

_INDENT = "  "


def pretty(expression: Expression, *, width: int = 100) -> str:
    """Return the query over as many lines as keep each within `width` where that can be.

    Parsing it gives an equal tree.
    """
    return "\n".join(_lines(expression, width))


def _lines(node: Expression, width: int) -> list[str]:
    short = format(node)
    if len(short) <= width:
        return [short]
    match node:
        case Binary():
            right = _lines(node.right, width)
            begin = _lines(node.left, width)
            if node.operator == "^":  # a sign before a power belongs to the power
                begin[0] = begin[0].removeprefix("+")
            return [*begin, *_led(binary_operator(node) + " ", right)]
        case Call(name=name):
            return _opened(f"{name}(", children(node), ")", width)
        case Aggregate():
            return _opened(f"{aggregate_head(node)}(", children(node), ")", width)
        case Parens(expression=inner):
            return _opened("(", (inner,), ")", width)
        case Unary(operator=operator, operand=operand):
            return _led(operator, _lines(operand, width))
        case Subquery():
            *inside, last = _lines(node.expression, width)
            return [*inside, last + subquery_suffix(node)]
    return [short]


def _led(lead: str, lines: list[str]) -> list[str]:
    return [lead + lines[0], *lines[1:]]


def _opened(opening: str, inside: tuple[Expression, ...], closing: str, width: int) -> list[str]:
    lines = [opening]
    for number, one in enumerate(inside):
        body = [_INDENT + line for line in _lines(one, width - len(_INDENT))]
        if number < len(inside) - 1:
            body[-1] += ","
        lines += body
    return [*lines, closing]
