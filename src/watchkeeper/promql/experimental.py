"""Functions and aggregations that Prometheus keeps behind promql-experimental-functions."""

from __future__ import annotations

from watchkeeper.promql.lexer import syntax_error
from watchkeeper.promql.signatures import EXPERIMENTAL_AGGREGATIONS, FUNCTIONS
from watchkeeper.promql.syntax import Aggregate, Call, Expression
from watchkeeper.promql.walk import walk

FEATURE = "promql-experimental-functions"
"""The name of the flag."""


def refuse_experimental(expression: Expression, text: str) -> None:
    """Raise QuerySyntaxError at the first function that the flag would have to allow."""
    for node in walk(expression):
        match node:
            case Call(name=name) if FUNCTIONS[name].experimental:
                reason = f'function "{name}" is not enabled'
            case Aggregate(operator=name) if name in EXPERIMENTAL_AGGREGATIONS:
                reason = f"{name}() is experimental and must be enabled"
            case _:
                continue
        raise syntax_error(
            text, f"{reason}; --enable-feature={FEATURE} allows it", node.start, node.end
        )
