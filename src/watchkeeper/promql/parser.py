"""Text into a tree: a Pratt parser over the tokens."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import METRIC_NAME
from watchkeeper.promql.checker import check
from watchkeeper.promql.experimental import refuse_experimental
from watchkeeper.promql.lexer import Kind, Token
from watchkeeper.promql.literals import parse_duration_ms, parse_number
from watchkeeper.promql.modifier_parser import ModifierParser
from watchkeeper.promql.signatures import (
    AGGREGATIONS,
    COMPARISONS,
    FUNCTIONS,
    PRECEDENCE,
    UNARY_PRECEDENCE,
)
from watchkeeper.promql.suggestion import suggest
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

_KNOWN_CHARACTERS = 4096
"""Queries up to this length are remembered: dashboards and rules ask the same again."""

_NOT_A_METRIC = frozenset({"bool", "on", "ignoring", "group_left", "group_right", "atan2"})


def parse(text: str, *, experimental: bool = True) -> Expression:
    """Return the tree of a query, its types checked; `experimental` allows such functions.

    Raises QuerySyntaxError with line, column, and what was expected.
    """
    expression = _known(text) if len(text) <= _KNOWN_CHARACTERS else _parsed(text)
    if not experimental:
        refuse_experimental(expression, text)
    return expression


def _parsed(text: str) -> Expression:
    try:
        parser = Parser(text)
        expression = parser.expression(0)
        parser.expect_end()
        check(expression, text)
    except RecursionError:
        raise QuerySyntaxError("1:1: parse error: the query is nested too deeply") from None
    return expression


_known = lru_cache(maxsize=1024)(_parsed)


class Parser(ModifierParser):
    """Reads expressions; the base class reads what hangs on them."""

    def expression(self, least: int) -> Expression:
        """Read operators that bind at least as tightly as `least`."""
        self.enter()
        left = self._prefix()
        while True:
            token = self.peek()
            operator = token.word
            precedence = PRECEDENCE.get(operator, 0) if token.kind is not Kind.STRING else 0
            if precedence == 0 or precedence < least:
                break
            self.take()
            left = self._binary(left, operator, precedence)
        self.leave()
        return left

    def _binary(self, left: Expression, operator: str, precedence: int) -> Expression:
        returns_bool = False
        if self.at_word("bool"):
            token = self.take()
            if operator not in COMPARISONS:
                self.fail("bool modifier can only be used on comparison operators", token)
            returns_bool = True
        matching = self.matching() if self.at_matching() else Matching()
        right = self.expression(precedence if operator == "^" else precedence + 1)
        return Binary(
            operator,
            left,
            right,
            matching,
            returns_bool,
            start=left.start,
            end=right.end,
        )

    def _prefix(self) -> Expression:
        token = self.peek()
        if token.kind is Kind.OPERATOR and token.text in "+-":
            self.take()
            operand = self.expression(UNARY_PRECEDENCE + 1)
            if isinstance(operand, Number):
                # NaN has no sign, and the one NaN makes equal trees equal.
                negative = token.text == "-" and not math.isnan(operand.value)
                value = -operand.value if negative else operand.value
                return Number(value, start=token.start, end=operand.end)
            return Unary(token.text, operand, start=token.start, end=operand.end)
        return self._postfix(self._primary())

    def _primary(self) -> Expression:
        token = self.take()
        match token.kind:
            case Kind.NUMBER | Kind.DURATION:
                return Number(self._number(token), start=token.start, end=token.end)
            case Kind.STRING:
                return String(self.string(token), start=token.start, end=token.end)
            case Kind.NAME:
                return self._named(token)
            case Kind.OPERATOR if token.text == "(":
                inner = self.expression(0)
                closing = self.expect(")")
                return Parens(inner, start=token.start, end=closing.end)
            case Kind.OPERATOR if token.text == "{":
                return self._selector("", token)
        return self.unexpected(token, "an expression")

    def _number(self, token: Token) -> float:
        try:
            if token.kind is Kind.DURATION:
                return parse_duration_ms(token.text) / 1000
            return parse_number(token.text)
        except ValueError as error:
            self.fail(str(error), token)

    def _named(self, token: Token) -> Expression:
        if token.word in ("inf", "nan"):
            return Number(parse_number(token.word), start=token.start, end=token.end)
        if token.word in AGGREGATIONS and (self.at("(") or self.at_word("by", "without")):
            return self._aggregate(token)
        if self.at("("):
            return self._call(token)
        if token.word in _NOT_A_METRIC:
            self.unexpected(token, "an expression")
        if self.at("{"):
            return self._selector(token.text, self.take(), token.start)
        return VectorSelector(token.text, start=token.start, end=token.end)

    def _selector(self, name: str, brace: Token, start: int | None = None) -> VectorSelector:
        begin = brace.start if start is None else start
        quoted, matchers = self.matchers(named=bool(name))
        closing = self.expect("}")
        if name and any(matcher.name == METRIC_NAME for matcher in matchers):
            raise self.error(
                f'metric name must not be set twice: "{name}" and {METRIC_NAME} in the braces',
                begin,
                closing.end,
            )
        return VectorSelector(name or quoted, matchers, start=begin, end=closing.end)

    def _call(self, token: Token) -> Expression:
        signature = FUNCTIONS.get(token.text) or FUNCTIONS.get(token.word)
        if signature is None or (token.text != signature.name and signature.least):
            known = [*FUNCTIONS, *AGGREGATIONS]
            self.fail(
                f'unknown function with name "{token.text}"{suggest(token.text, known)}', token
            )
        arguments, closing = self._arguments()
        return Call(signature.name, arguments, start=token.start, end=closing.end)

    def _arguments(self) -> tuple[tuple[Expression, ...], Token]:
        self.expect("(")
        arguments: list[Expression] = []
        while not self.at(")"):
            arguments.append(self.expression(0))
            if not self.at(","):
                break
            comma = self.take()
            if self.at(")"):
                self.fail("trailing commas not allowed in function call args", comma)
        return tuple(arguments), self.expect(")")

    def _aggregate(self, token: Token) -> Expression:
        without, grouping = self.grouping() if not self.at("(") else (False, None)
        arguments, closing = self._arguments()
        end = closing.end
        if grouping is None and self.at_word("by", "without"):
            without, grouping = self.grouping()
            end = self.previous.end
        wanted = 1 if AGGREGATIONS[token.word] is None else 2
        if len(arguments) != wanted:
            self.fail(
                "wrong number of arguments for aggregate expression provided, "
                f"expected {wanted}, got {len(arguments)}",
                token,
            )
        return Aggregate(
            token.word,
            arguments[-1],
            arguments[0] if wanted == 2 else None,
            grouping or (),
            without,
            start=token.start,
            end=end,
        )

    def _postfix(self, expression: Expression) -> Expression:
        while True:
            token = self.peek()
            if token.kind is Kind.OPERATOR and token.text == "[":
                expression = self._range(expression)
            elif token.kind is Kind.OPERATOR and token.text == "@":
                self.take()
                expression = self._with_at(expression, token)
            elif token.kind is Kind.NAME and token.word == "offset":
                self.take()
                expression = self._with_offset(expression, token)
            elif token.kind is Kind.NAME and token.word in ("anchored", "smoothed"):
                self.take()
                expression = self._with_window(expression, token)
            else:
                return expression

    def _range(self, expression: Expression) -> Expression:
        opening = self.expect("[")
        length = self.duration()
        if self.at(":"):
            self.take()
            step = None if self.at("]") else self.duration()
            closing = self.expect("]")
            return Subquery(expression, length, step, start=expression.start, end=closing.end)
        closing = self.expect("]")
        if not isinstance(expression, VectorSelector):
            self.fail("ranges only allowed for vector selectors", opening)
        if expression.offset or expression.at or expression.window:
            self.fail("no offset, @ or window modifiers allowed before range", opening)
        return MatrixSelector(expression, length, start=expression.start, end=closing.end)

    def _with_at(self, expression: Expression, token: Token) -> Expression:
        target = self._modified(expression, token, "@ modifier")
        if target.at is not None:
            self.fail("@ <timestamp> may not be set multiple times", token)
        return self._rewrap(expression, replace(target, at=self.at_modifier(token)))

    def _with_offset(self, expression: Expression, token: Token) -> Expression:
        target = self._modified(expression, token, "offset modifier")
        if target.offset is not None:
            self.fail("offset may not be set multiple times", token)
        return self._rewrap(expression, replace(target, offset=self.offset()))

    def _with_window(self, expression: Expression, token: Token) -> Expression:
        target = self._modified(expression, token, f"{token.word} modifier")
        if isinstance(target, Subquery):
            self.fail(f"{token.word} modifier is not supported for subqueries", token)
        if target.window:
            self.fail(f"{target.window} modifier is already set; only one is possible", token)
        return self._rewrap(expression, replace(target, window=Window(token.word)))

    def _modified(
        self, expression: Expression, token: Token, what: str
    ) -> VectorSelector | Subquery:
        if isinstance(expression, MatrixSelector):
            return expression.vector
        if isinstance(expression, VectorSelector | Subquery):
            return expression
        return self.fail(
            f"{what} must be preceded by an instant vector selector or range vector selector "
            "or a subquery",
            token,
        )

    def _rewrap(self, original: Expression, changed: VectorSelector | Subquery) -> Expression:
        end = self.previous.end
        if isinstance(original, MatrixSelector) and isinstance(changed, VectorSelector):
            return replace(original, vector=changed, end=end)
        return replace(changed, end=end)

    def expect_end(self) -> None:
        """Refuse anything after the expression."""
        token = self.peek()
        if token.kind is not Kind.END:
            self.unexpected(token, "an operator or the end")
