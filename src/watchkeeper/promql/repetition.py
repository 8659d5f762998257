"""Parts that stand in a query more than once, as both sides of a burn rate do."""

from __future__ import annotations

from watchkeeper.promql.syntax import Aggregate, Call, Expression
from watchkeeper.promql.walk import selectors, walk


def repeated_parts(expression: Expression) -> dict[int, int]:
    """Return, by `id` of a node, one number for all nodes that are equal to it.

    Only calls and aggregations that stand there more than once: what is worth remembering.
    """
    read = selectors(expression)
    if len(set(read)) == len(read):
        return {}
    numbers: dict[Expression, int] = {}
    places: dict[int, list[int]] = {}
    for node in walk(expression):
        if isinstance(node, Call | Aggregate):
            number = numbers.setdefault(node, len(numbers))
            places.setdefault(number, []).append(id(node))
    return {place: number for number, same in places.items() if len(same) > 1 for place in same}
