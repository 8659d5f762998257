"""Trees with something exchanged: what synthesis and mutation both build on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    MatrixSelector,
    Parens,
    Subquery,
    Unary,
    VectorSelector,
)
from watchkeeper.promql.walk import children


def with_children(node: Expression, inside: Sequence[Expression]) -> Expression:
    """Return a node with other expressions below it, given in the order of `children`."""
    match node:
        case MatrixSelector():
            (vector,) = inside
            assert isinstance(vector, VectorSelector)
            return replace(node, vector=vector)
        case Subquery() | Parens():
            return replace(node, expression=inside[0])
        case Unary():
            return replace(node, operand=inside[0])
        case Binary():
            return replace(node, left=inside[0], right=inside[1])
        case Call():
            return replace(node, arguments=tuple(inside))
        case Aggregate():
            parameter = inside[0] if len(inside) > 1 else None
            return replace(node, expression=inside[-1], parameter=parameter)
    return node


def rewritten(node: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """Return the tree with each node that `change` returns something for replaced by it."""
    changed = change(node)
    if changed is not None:
        return changed
    before = children(node)
    after = [rewritten(child, change) for child in before]
    same = all(one is other for one, other in zip(before, after, strict=True))
    return node if same else with_children(node, after)


def places(node: Expression) -> Iterator[tuple[Expression, Callable[[Expression], Expression]]]:
    """Yield every node with a function that returns the whole tree with it exchanged."""
    yield node, lambda other: other
    inside = children(node)
    for position, child in enumerate(inside):
        for deeper, exchange in places(child):
            yield deeper, _exchanging(node, inside, position, exchange)


def _exchanging(
    node: Expression,
    inside: tuple[Expression, ...],
    position: int,
    exchange: Callable[[Expression], Expression],
) -> Callable[[Expression], Expression]:
    def whole(other: Expression) -> Expression:
        changed = [*inside]
        changed[position] = exchange(other)
        return with_children(node, changed)

    return whole


def bare(node: Expression) -> Expression:
    """Return what stands inside parentheses."""
    while isinstance(node, Parens):
        node = node.expression
    return node
