"""Types: what may stand where, checked once a query is parsed, as Prometheus does."""

from __future__ import annotations

from typing import NoReturn

from watchkeeper.matching import predicate
from watchkeeper.model import METRIC_NAME, Matcher
from watchkeeper.promql.lexer import syntax_error
from watchkeeper.promql.signatures import (
    AGGREGATIONS,
    COMPARISONS,
    FUNCTIONS,
    MATRIX,
    SCALAR,
    SET_OPERATORS,
    STRING,
    VECTOR,
    ValueType,
)
from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    Matching,
    MatrixSelector,
    Number,
    Parens,
    String,
    Subquery,
    Unary,
    VectorSelector,
    Window,
)
from watchkeeper.promql.walk import chain

NO_MATCHER = "vector selector must contain at least one non-empty matcher"
"""What is said of `{}`, which would select every series."""

WINDOWS = {
    Window.ANCHORED: ("changes", "delta", "increase", "rate", "resets"),
    Window.SMOOTHED: ("delta", "increase", "rate"),
}
"""The functions that know what to do with a range whose edges are not plain."""


def type_of(expression: Expression) -> ValueType:
    """Return the type of a checked expression's value."""
    match expression:
        case Number():
            return SCALAR
        case String():
            return STRING
        case VectorSelector() | Aggregate():
            return VECTOR
        case MatrixSelector() | Subquery():
            return MATRIX
        case Parens(expression=inner) | Unary(operand=inner):
            return type_of(inner)
        case Call(name=name):
            return FUNCTIONS[name].result
        case Binary():
            first, operators = chain(expression)
            operands = [first, *(one.right for one in operators)]
            return SCALAR if all(type_of(one) is SCALAR for one in operands) else VECTOR


def check(expression: Expression, text: str) -> None:
    """Raise QuerySyntaxError at the first place where types do not fit."""
    _Checker(text).visit(expression)


class _Checker:
    def __init__(self, text: str) -> None:
        self._text = text

    def _fail(self, node: Expression, reason: str) -> NoReturn:
        raise syntax_error(self._text, reason, node.start, node.end)

    def visit(self, node: Expression) -> ValueType:  # noqa: C901  one arm a node
        match node:
            case Number():
                return SCALAR
            case String():
                return STRING
            case VectorSelector():
                self._selector(node)
                return VECTOR
            case MatrixSelector():
                self._selector(node.vector)
                return MATRIX
            case Subquery():
                self._require(node.expression, VECTOR, "subquery")
                return MATRIX
            case Parens():
                return self.visit(node.expression)
            case Unary():
                return self._unary(node)
            case Binary():
                first, operators = chain(node)
                found = self.visit(first)
                for one in operators:
                    found = self._binary(one, found)
                return found
            case Call():
                return self._call(node)
            case Aggregate():
                return self._aggregate(node)

    def _require(self, node: Expression, wanted: ValueType, where: str) -> None:
        found = self.visit(node)
        if found is not wanted:
            self._fail(node, f"expected type {wanted} in {where}, got {found}")

    def _selector(self, node: VectorSelector) -> None:
        names = [matcher for matcher in node.matchers if matcher.name == METRIC_NAME]
        if node.name or names:
            return
        if all(_matches_empty(matcher) for matcher in node.matchers):
            self._fail(node, NO_MATCHER)

    def _unary(self, node: Unary) -> ValueType:
        found = self.visit(node.operand)
        if found not in (SCALAR, VECTOR):
            self._fail(
                node,
                "unary expression only allowed on expressions of type scalar or instant vector, "
                f"got {found}",
            )
        return found

    def _binary(self, node: Binary, left: ValueType) -> ValueType:
        sides = [left, self.visit(node.right)]
        for side, found in zip((node.left, node.right), sides, strict=True):
            if found not in (SCALAR, VECTOR):
                self._fail(
                    side,
                    "binary expression must contain only scalar and instant vector types, "
                    f"got {found}",
                )
        scalars = sides.count(SCALAR)
        if scalars == 2 and node.operator in COMPARISONS and not node.returns_bool:
            self._fail(node, "comparisons between scalars must use BOOL modifier")
        if node.operator in SET_OPERATORS:
            self._set_operator(node, scalars)
        if scalars and node.matching != Matching():
            self._fail(node, "vector matching only allowed between instant vectors")
        both = set(node.matching.labels) & set(node.matching.include)
        if node.matching.on and both:
            self._fail(node, f'label "{min(both)}" must not occur in ON and GROUP clause at once')
        return SCALAR if scalars == 2 else VECTOR

    def _set_operator(self, node: Binary, scalars: int) -> None:
        if scalars:
            self._fail(
                node, f'set operator "{node.operator}" not allowed in binary scalar expression'
            )
        if node.matching.group:
            self._fail(node, f'no grouping allowed for "{node.operator}" operation')
        if node.matching.fill_left is not None or node.matching.fill_right is not None:
            self._fail(node, f'filling in missing series not allowed for "{node.operator}"')

    def _call(self, node: Call) -> ValueType:
        signature = FUNCTIONS[node.name]
        count = len(node.arguments)
        if count < signature.least or (signature.most is not None and count > signature.most):
            at = (
                "at least " if signature.most != signature.least and count < signature.least else ""
            )
            at = "at most " if signature.most is not None and count > signature.least else at
            wanted = signature.most if at == "at most " else signature.least
            self._fail(
                node,
                f'expected {at}{wanted} argument(s) in call to "{node.name}", got {count}',
            )
        self._windows(node)
        if node.name == "info" and count == 2:
            self._require(node.arguments[0], VECTOR, 'call to function "info"')
            return self._info(node)
        for number, argument in enumerate(node.arguments):
            wanted_type = signature.arguments[min(number, len(signature.arguments) - 1)]
            self._require(argument, wanted_type, f'call to function "{node.name}"')
        return signature.result

    def _windows(self, node: Call) -> None:
        for argument in node.arguments:
            if not isinstance(argument, MatrixSelector) or not argument.vector.window:
                continue
            allowed = WINDOWS[argument.vector.window]
            if node.name not in allowed:
                self._fail(
                    argument,
                    f"{argument.vector.window} modifier can only be used with: "
                    f"{', '.join(allowed)} - not with {node.name}",
                )

    def _info(self, node: Call) -> ValueType:
        selector = node.arguments[1]
        if not isinstance(selector, VectorSelector) or selector.name:
            self._fail(selector, 'expected label selectors only in call to function "info"')
        return VECTOR

    def _aggregate(self, node: Aggregate) -> ValueType:
        self._require(node.expression, VECTOR, "aggregation expression")
        wanted = AGGREGATIONS[node.operator]
        if wanted is not None and node.parameter is not None:
            self._require(node.parameter, wanted, "aggregation parameter")
        return VECTOR


def _matches_empty(matcher: Matcher) -> bool:
    return predicate(matcher)("")
