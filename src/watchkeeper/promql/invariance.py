"""Which expressions have one value for all steps, so that one evaluation does."""

from __future__ import annotations

from watchkeeper.promql.functions_time import CALENDAR
from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    MatrixSelector,
    Number,
    Parens,
    String,
    Subquery,
    Unary,
    VectorSelector,
)
from watchkeeper.promql.walk import chain

_OF_THE_MOMENT = CALENDAR | {"time", "timestamp", "predict_linear", "start_timestamp"}


def same_at_every_step(node: Expression) -> bool:
    """Tell whether an expression's value cannot differ between steps."""
    match node:
        case Number() | String():
            return True
        case VectorSelector() | Subquery():
            return node.at is not None
        case MatrixSelector():
            return node.vector.at is not None
        case Parens(expression=inner) | Unary(operand=inner):
            return same_at_every_step(inner)
        case Binary():
            first, operators = chain(node)
            return all(map(same_at_every_step, (first, *(one.right for one in operators))))
        case Call(name="info"):
            return same_at_every_step(node.arguments[0])
        case Call():
            return node.name not in _OF_THE_MOMENT and all(
                same_at_every_step(argument) for argument in node.arguments
            )
        case Aggregate():
            parameter = node.parameter is None or same_at_every_step(node.parameter)
            return parameter and same_at_every_step(node.expression)
