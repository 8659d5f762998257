"""Going through a tree: what it holds, and the same tree with something changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Duration,
    DurationBinary,
    DurationCall,
    DurationLiteral,
    DurationParens,
    DurationUnary,
    Expression,
    MatrixSelector,
    Parens,
    Subquery,
    Unary,
    VectorSelector,
)


def children(node: Expression) -> tuple[Expression, ...]:
    """Return the expressions right below a node, in the order of the text."""
    match node:
        case MatrixSelector(vector=vector):
            return (vector,)
        case Subquery(expression=inner) | Parens(expression=inner) | Unary(operand=inner):
            return (inner,)
        case Binary(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
        case Aggregate(expression=inner, parameter=parameter):
            return (inner,) if parameter is None else (parameter, inner)
    return ()


def walk(node: Expression) -> Iterator[Expression]:
    """Give a node and everything below it, parents first."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def chain(node: Binary) -> tuple[Expression, list[Binary]]:
    """Return the first operand of `a + b + c ...` and its operators from the inside out.

    Chains may be thousands long; whoever follows them by recursion runs out of stack.
    """
    operators: list[Binary] = []
    first: Expression = node
    while isinstance(first, Binary):
        operators.append(first)
        first = first.left
    return first, operators[::-1]


def selectors(expression: Expression) -> list[VectorSelector]:
    """Return the vector selectors of an expression, those of ranges too, from left to right."""
    return [node for node in walk(expression) if isinstance(node, VectorSelector)]


def map_durations(expression: Expression, function: Callable[[int], int]) -> Expression:
    """Return the expression with every duration literal of a range, offset or subquery changed.

    `function` takes and returns milliseconds. Bare numbers that scale a duration (`5m * 2`)
    are left alone.
    """
    return _Durations(function).expression(expression)


class _Durations:
    def __init__(self, function: Callable[[int], int]) -> None:
        self._function = function

    def expression(self, node: Expression) -> Expression:
        match node:
            case VectorSelector():
                return self._vector(node)
            case MatrixSelector():
                return replace(node, vector=self._vector(node.vector), range=self._top(node.range))
            case Subquery():
                return replace(
                    node,
                    expression=self.expression(node.expression),
                    range=self._top(node.range),
                    step=None if node.step is None else self._top(node.step),
                    offset=None if node.offset is None else self._top(node.offset),
                )
            case Parens():
                return replace(node, expression=self.expression(node.expression))
            case Unary():
                return replace(node, operand=self.expression(node.operand))
            case Binary():
                left, right = self.expression(node.left), self.expression(node.right)
                return replace(node, left=left, right=right)
            case Call():
                return replace(node, arguments=tuple(map(self.expression, node.arguments)))
            case Aggregate():
                return replace(node, expression=self.expression(node.expression))
        return node

    def _vector(self, node: VectorSelector) -> VectorSelector:
        return node if node.offset is None else replace(node, offset=self._top(node.offset))

    def _top(self, duration: Duration) -> Duration:
        if isinstance(duration, DurationLiteral) and not duration.unit:
            duration = replace(duration, unit=True)
        return self._duration(duration)

    def _duration(self, duration: Duration) -> Duration:
        match duration:
            case DurationLiteral(unit=True):
                mapped = self._function(round(duration.seconds * 1000))
                return replace(duration, seconds=mapped / 1000)
            case DurationCall():
                return replace(duration, arguments=tuple(map(self._duration, duration.arguments)))
            case DurationUnary():
                return replace(duration, operand=self._duration(duration.operand))
            case DurationParens():
                return replace(duration, inner=self._duration(duration.inner))
            case DurationBinary():
                return replace(
                    duration,
                    left=self._duration(duration.left),
                    right=self._duration(duration.right),
                )
        return duration
