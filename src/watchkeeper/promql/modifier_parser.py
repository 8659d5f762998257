"""What hangs on an expression: label matchers, groupings, vector matching, `@` and offsets."""

from __future__ import annotations

import math

from watchkeeper.model import METRIC_NAME, Matcher, MatchOperator
from watchkeeper.promql.duration_parser import DurationParser
from watchkeeper.promql.lexer import Kind, Token
from watchkeeper.promql.literals import parse_duration_ms, parse_number
from watchkeeper.promql.syntax import At, Matching
from watchkeeper.regex import compile_regex

_FILLS = ("fill", "fill_left", "fill_right")
_MATCH_OPERATORS = {operator.value: operator for operator in MatchOperator}


class ModifierParser(DurationParser):
    """Reads modifiers; the base class reads durations."""

    def matchers(self, *, named: bool) -> tuple[str, tuple[Matcher, ...]]:
        """Read what stands in braces: the quoted metric name, if any, and the matchers."""
        name, found = "", []
        while not self.at("}"):
            token = self.take()
            if token.kind is Kind.STRING and (self.at(",") or self.at("}")):
                if named or name:
                    self.fail("metric name must not be set twice", token)
                name = self.string(token)
            elif token.kind in (Kind.NAME, Kind.STRING):
                found.append(self._matcher(token))
            else:
                self.unexpected(token, "a label name or `}`")
            if not self.at(","):
                break
            self.take()
        if name and any(matcher.name == METRIC_NAME for matcher in found):
            self.fail(f"metric name must not be set twice: {name!r} and {METRIC_NAME}", self.peek())
        return name, tuple(found)

    def _matcher(self, label: Token) -> Matcher:
        name = self.string(label) if label.kind is Kind.STRING else label.text
        if ":" in name and label.kind is Kind.NAME:
            self.unexpected(label, "a label name (quote it if it holds a colon)")
        operator = _MATCH_OPERATORS.get(self.peek().text)
        if operator is None or self.peek().kind is Kind.STRING:
            self.unexpected(self.peek(), "label matching operator (=, !=, =~, !~)")
        self.take()
        token = self.take()
        if token.kind is not Kind.STRING:
            self.unexpected(token, "a string in label matching")
        value = self.string(token)
        if operator in (MatchOperator.REGEX, MatchOperator.NOT_REGEX):
            try:
                compile_regex(value)
            except ValueError as error:
                self.fail(str(error), token)
        return Matcher(name, operator, value)

    def labels(self) -> tuple[str, ...]:
        """Read label names in parentheses."""
        self.expect("(")
        names: list[str] = []
        while not self.at(")"):
            token = self.take()
            if token.kind is Kind.STRING:
                name = self.string(token)
            elif token.kind is Kind.NAME and ":" not in token.text:
                name = token.text
            else:
                self.unexpected(token, "a label name")
            names.append(name)
            if not self.at(","):
                break
            self.take()
        self.expect(")")
        return tuple(names)

    def grouping(self) -> tuple[bool, tuple[str, ...]]:
        """Read `by (...)` or `without (...)`: whether it is without, and the labels."""
        token = self.take()
        if token.word not in ("by", "without"):
            self.unexpected(token, "`by`, `without` or `(`")
        return token.word == "without", self.labels()

    def at_matching(self) -> bool:
        """Tell whether a vector matching modifier comes next."""
        return self.at_word("on", "ignoring") or self._at_fill()

    def _at_fill(self) -> bool:
        return self.at_word(*_FILLS) and self.peek(1).text == "("

    def matching(self) -> Matching:
        """Read on/ignoring, group_left/group_right and the fills."""
        on, group = False, ""
        labels: tuple[str, ...] = ()
        include: tuple[str, ...] = ()
        if self.at_word("on", "ignoring"):
            on = self.take().word == "on"
            labels = self.labels()
            if self.at_word("group_left", "group_right"):
                group = self.take().word.removeprefix("group_")
                include = self.labels() if self.at("(") else ()
        fills: dict[str, float] = {}
        while self._at_fill():
            token = self.take()
            self.expect("(")
            fills[token.word] = self._signed_number()
            self.expect(")")
        both = fills.get("fill")
        return Matching(
            on,
            labels,
            group,
            include,
            fills.get("fill_left", both),
            fills.get("fill_right", both),
        )

    def _signed_number(self) -> float:
        sign = 1.0
        while self.at("+") or self.at("-"):
            sign = -sign if self.take().text == "-" else sign
        token = self.take()
        try:
            if token.kind is Kind.DURATION:
                return sign * parse_duration_ms(token.text) / 1000
            if token.kind is Kind.NUMBER or token.word in ("inf", "nan"):
                value = parse_number(token.text)
                return value if math.isnan(value) else sign * value
        except ValueError as error:
            self.fail(str(error), token)
        return self.unexpected(token, "a number")

    def at_modifier(self, at: Token) -> At:
        """Read what follows an `@`."""
        if self.at_word("start", "end") and self.peek(1).text == "(":
            bound = self.take().word
            self.expect("(")
            closing = self.expect(")")
            return At(bound=bound, start=at.start, end=closing.end)
        seconds = self._signed_number()
        if not math.isfinite(seconds) or abs(seconds) > 2**63 / 1000:
            self.fail(f"timestamp out of bounds for @ modifier: {seconds}", at)
        return At(seconds, start=at.start, end=self.previous.end)
