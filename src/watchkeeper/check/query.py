"""One PromQL expression: where it stands, what it is for, and what it reads as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from watchkeeper.check.source import Text
from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.promql import Expression, VectorSelector, parse
from watchkeeper.promql.lexer import Kind, Token, tokenize
from watchkeeper.promql.syntax import Duration
from watchkeeper.promql.walk import walk

_VARIABLE = re.compile(r"\$\{(\w+)[^}]*\}|\[\[(\w+)[^\]]*\]\]|\$(\w+)")
_OPERATORS = {operator.value for operator in MatchOperator}


class Role(StrEnum):
    """What an expression is for."""

    ALERT = "alert"
    RECORDING = "recording rule"
    PANEL = "panel"
    VARIABLE = "variable"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Variable:
    """A dashboard variable in an expression: its name and where it stands."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """An expression. `tree` is None where it does not parse, and `error` says why.

    Dashboard variables were replaced by something of the same length before parsing, so that
    offsets in the tree are offsets in `text`.
    """

    text: Text
    role: Role
    subject: str
    tree: Expression | None
    error: QuerySyntaxError | None = None
    variables: tuple[Variable, ...] = ()

    def nodes(self) -> Iterator[Expression]:
        """Give every node of the tree, parents first; none if it does not parse."""
        if self.tree is not None:
            yield from walk(self.tree)

    def written(self, node: Expression) -> str:
        """Return a part of the expression as it is written."""
        return self.text.value[node.start : node.end]

    def variable_of(self, duration: Duration) -> str:
        """Return the variable that a range is written with, or ''."""
        for variable in self.variables:
            if duration.start <= variable.start < max(duration.end, duration.start + 1):
                return variable.name
        return ""

    def is_open(self, matcher: Matcher) -> bool:
        """Whether a dashboard variable decides what a matcher asks for."""
        return bool(self.variables) and _VARIABLE.search(matcher.value) is not None


def query_of(text: Text, role: Role, subject: str, *, dashboard: bool = False) -> Query:
    """Return an expression, parsed."""
    variables = _variables(text.value) if dashboard else ()
    error: QuerySyntaxError | None = None
    for stand_in in ("name", "number") if variables else ("name",):
        try:
            tree = parse(_replaced(text.value, variables, stand_in))
            return Query(text, role, subject, tree, variables=variables)
        except QuerySyntaxError as problem:
            error = error or problem
    return Query(text, role, subject, None, error, variables)


def matcher_places(query: Query, selector: VectorSelector) -> list[tuple[Matcher, int, int]]:
    """Return the matchers between a selector's braces with the offsets at which they stand."""
    if not selector.matchers:
        return []
    tokens = _tokens(_replaced(query.text.value, query.variables, "name"))
    inside = [one for one in tokens if selector.start <= one.start and one.end <= selector.end]
    places = list(_matcher_tokens(inside))
    if len(places) != len(selector.matchers):
        return [(matcher, selector.start, selector.end) for matcher in selector.matchers]
    return [
        (matcher, start, end)
        for matcher, (start, end) in zip(selector.matchers, places, strict=True)
    ]


@lru_cache(maxsize=64)
def _tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens of an expression, which is asked for again for each of its selectors."""
    return tuple(tokenize(text))


def _matcher_tokens(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    for name, operator, value in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if operator.text in _OPERATORS and value.kind is Kind.STRING:
            yield name.start, value.end


def _variables(text: str) -> tuple[Variable, ...]:
    return tuple(
        Variable(found[1] or found[2] or found[3], found.start(), found.end())
        for found in _VARIABLE.finditer(text)
    )


def _replaced(text: str, variables: tuple[Variable, ...], stand_in: str) -> str:
    """Return the text with variables outside of strings replaced, at the same length."""
    if not variables:
        return text
    quoted = _quoted(text)
    pieces, position = [], 0
    for variable in variables:
        if any(start < variable.start < end for start, end in quoted):
            continue
        width = variable.end - variable.start
        pieces += [text[position : variable.start], _stand_in(text, variable, width, stand_in)]
        position = variable.end
    return "".join(pieces) + text[position:]


def _quoted(text: str) -> list[tuple[int, int]]:
    pattern = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`")
    return [found.span() for found in pattern.finditer(text)]


def _stand_in(text: str, variable: Variable, width: int, kind: str) -> str:
    before = text[: variable.start].rstrip()[-1:]
    if before in ("[", ":") or text[: variable.start].rstrip().endswith("offset"):
        return "5m".ljust(width)
    if kind == "number" or variable.name in ("__interval_ms", "__range_s", "__range_ms"):
        return "1".ljust(width)
    return "_" * width
