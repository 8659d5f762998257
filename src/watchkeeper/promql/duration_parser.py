"""Reads tokens one by one, and durations from them."""

from __future__ import annotations

from typing import NoReturn

from watchkeeper.errors import QuerySyntaxError
from watchkeeper.promql.lexer import Kind, Token, syntax_error, tokenize
from watchkeeper.promql.literals import parse_duration_ms, parse_number, unquote
from watchkeeper.promql.syntax import (
    Duration,
    DurationBinary,
    DurationCall,
    DurationLiteral,
    DurationParens,
    DurationUnary,
)

DEEPEST = 100
"""How many expressions may be nested; Python's own stack holds a few more."""

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3}
_CALLS = {"step": 0, "range": 0, "min_of": 2, "max_of": 2}


class TokenReader:
    """A cursor over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._next = 0
        self._depth = 0
        self.previous = self._tokens[0]

    def peek(self, ahead: int = 0) -> Token:
        """Return a coming token without taking it."""
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Return the next token and go past it."""
        token = self.peek()
        self._next += 1
        self.previous = token
        return token

    def at(self, symbol: str) -> bool:
        """Tell whether the next token is this symbol."""
        token = self.peek()
        return token.kind is Kind.OPERATOR and token.text == symbol

    def at_word(self, *words: str) -> bool:
        """Tell whether the next token is one of these keywords."""
        token = self.peek()
        return token.kind is Kind.NAME and token.word in words

    def expect(self, symbol: str) -> Token:
        """Take this symbol or refuse what stands in its place."""
        if not self.at(symbol):
            self.unexpected(self.peek(), f"`{symbol}`")
        return self.take()

    def enter(self) -> None:
        """Go one level deeper, if the limit allows."""
        self._depth += 1
        if self._depth > DEEPEST:
            self.fail(f"the query is nested more than {DEEPEST} levels deep", self.peek())

    def leave(self) -> None:
        """Come back up one level."""
        self._depth -= 1

    def string(self, token: Token) -> str:
        """Return what a string token holds."""
        try:
            return unquote(token.text)
        except ValueError as error:
            self.fail(str(error), token)

    def error(self, reason: str, start: int, end: int) -> QuerySyntaxError:
        """Return the error for a stretch of the text."""
        return syntax_error(self._text, reason, start, end)

    def fail(self, reason: str, token: Token) -> NoReturn:
        """Refuse a token for a reason."""
        raise self.error(reason, token.start, max(token.end, token.start))

    def unexpected(self, token: Token, expected: str) -> NoReturn:
        """Refuse a token, naming what could have stood there."""
        shown = "end of input" if token.kind is Kind.END else f'"{token.text}"'
        self.fail(f"unexpected {shown}, expected {expected}", token)


class DurationParser(TokenReader):
    """Reads durations: literals, numbers of seconds, and arithmetic between them."""

    def duration(self, least: int = 0) -> Duration:
        """Read a duration with its operators, as brackets hold it."""
        self.enter()
        left = self._signed_duration()
        while self.peek().kind is Kind.OPERATOR:
            operator = self.peek().text
            precedence = _PRECEDENCE.get(operator, 0)
            if precedence == 0 or precedence < least:
                break
            self.take()
            right = self.duration(precedence if operator == "^" else precedence + 1)
            left = DurationBinary(operator, left, right, start=left.start, end=right.end)
        self.leave()
        return left

    def offset(self) -> Duration:
        """Read what follows `offset`: a sign and one operand; operators need parentheses."""
        if self.at("+") or self.at("-"):
            sign = self.take()
            operand = self._operand()
            return DurationUnary(sign.text, operand, start=sign.start, end=operand.end)
        return self._operand()

    def _signed_duration(self) -> Duration:
        if self.at("+") or self.at("-"):
            sign = self.take()
            operand = self.duration(_PRECEDENCE["*"])
            return DurationUnary(sign.text, operand, start=sign.start, end=operand.end)
        return self._operand()

    def _operand(self) -> Duration:
        token = self.take()
        if token.kind in (Kind.NUMBER, Kind.DURATION):
            return self._literal(token)
        if token.kind is Kind.NAME and token.word in _CALLS:
            return self._duration_call(token)
        if token.kind is Kind.OPERATOR and token.text == "(":
            inner = self.duration()
            closing = self.expect(")")
            return DurationParens(inner, start=token.start, end=closing.end)
        return self.unexpected(token, "number, duration, step(), or range()")

    def _literal(self, token: Token) -> DurationLiteral:
        try:
            if token.kind is Kind.DURATION:
                seconds, unit = parse_duration_ms(token.text) / 1000, True
            else:
                seconds, unit = parse_number(token.text), False
        except ValueError as error:
            self.fail(str(error), token)
        return DurationLiteral(seconds, unit, start=token.start, end=token.end)

    def _duration_call(self, token: Token) -> DurationCall:
        self.expect("(")
        arguments: list[Duration] = []
        for number in range(_CALLS[token.word]):
            if number:
                self.expect(",")
            arguments.append(self.duration())
        closing = self.expect(")")
        return DurationCall(token.word, tuple(arguments), start=token.start, end=closing.end)
