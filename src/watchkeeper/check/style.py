"""Checks of PromQL by itself: whether it parses, ranges, regular expressions, cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil

from watchkeeper.check.check import Check, Examined, Problem, at
from watchkeeper.check.finding import Severity
from watchkeeper.check.inference import RATES
from watchkeeper.check.query import Query, Role
from watchkeeper.check.source import Edit
from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import METRIC_NAME, Matcher, MatchOperator
from watchkeeper.promql import VectorSelector, format_duration_ms
from watchkeeper.promql.syntax import Call, DurationLiteral, MatrixSelector
from watchkeeper.regex import compile_regex

_NEED_TWO = RATES | {"delta", "idelta", "deriv", "predict_linear", "changes", "resets"}
_PLAIN = re.compile(r"[A-Za-z0-9_ /:@%,=<>!;&#~`'-]*")
_WHOLE = re.compile(r"\^.*|.*[^\\]\$")
_REGEX = (MatchOperator.REGEX, MatchOperator.NOT_REGEX)
_EXACT = {MatchOperator.REGEX: "=", MatchOperator.NOT_REGEX: "!="}


def _syntax_errors(examined: Examined) -> Iterator[Problem]:
    for query in examined.subjects.all_queries:
        if query.error is not None:
            yield _syntax_problem(query, query.error)
    for query, node in examined.nodes(VectorSelector):
        for matcher, start, end in examined.matchers(query, node):
            if matcher.operator not in _REGEX or query.is_open(matcher):
                continue
            try:
                compile_regex(matcher.value)
            except ValueError as error:
                yield Problem(query.text.place(start, end), query.subject, str(error))


def _syntax_problem(query: Query, error: QuerySyntaxError) -> Problem:
    reason = error.reason.partition("parse error: ")[2] or error.reason
    return Problem(query.text.place(error.start, error.end), query.subject, reason)


def _short_ranges(examined: Examined) -> Iterator[Problem]:
    scrape = examined.timing.scrape_seconds
    least = examined.parameter("range-too-short.scrapes") * scrape
    for query, node in examined.nodes(Call):
        argument = node.arguments[-1] if node.arguments else None
        if node.name not in _NEED_TWO or not isinstance(argument, MatrixSelector):
            continue
        length = argument.range
        if not isinstance(length, DurationLiteral) or query.variable_of(length):
            continue
        if length.seconds >= least:
            continue
        longer = format_duration_ms(ceil(least / 60) * 60_000 if least > 30 else int(least * 1000))
        fix: tuple[Edit, ...] = ()
        if query.role in (Role.ALERT, Role.RECORDING, Role.PANEL):
            fix = query.text.edit(length.start, length.end, longer)
        yield Problem(
            query.text.place(length.start, length.end),
            query.subject,
            f"{query.text.value[length.start : length.end]} holds "
            f"{length.seconds / scrape:g} scrapes of {scrape:g} s",
            fix,
            f"Write [{longer}].",
        )


def _needless_regexes(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(VectorSelector):
        for matcher, start, end in examined.matchers(query, node):
            if matcher.operator not in _REGEX or query.is_open(matcher) or not matcher.value:
                continue
            if not _PLAIN.fullmatch(matcher.value):
                continue
            yield Problem(
                query.text.place(start, end),
                query.subject,
                f"{matcher.value!r} is no pattern",
                query.text.edit(*_operator(query, matcher, start, end)),
                f'Write {matcher.name}{_EXACT[matcher.operator]}"{matcher.value}".',
            )


def _operator(query: Query, matcher: Matcher, start: int, end: int) -> tuple[int, int, str]:
    """Return the place of a matcher's operator and the one to put there."""
    position = query.text.value.index(matcher.operator.value, start, end)
    return position, position + 2, _EXACT[matcher.operator]


def _anchored_regexes(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(VectorSelector):
        for matcher, start, end in examined.matchers(query, node):
            if matcher.operator in _REGEX and _WHOLE.fullmatch(matcher.value):
                if query.is_open(matcher):
                    continue
                yield Problem(
                    query.text.place(start, end),
                    query.subject,
                    f"{matcher.value!r} is anchored twice",
                )


def _catch_all_matchers(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(VectorSelector):
        for matcher, start, end in examined.matchers(query, node):
            if matcher.operator is MatchOperator.REGEX and matcher.value == ".*":
                what = f"{matcher.name}=~'.*' leaves nothing out, also not series without it"
                yield Problem(query.text.place(start, end), query.subject, what)
            elif matcher.operator is MatchOperator.NOT_REGEX and matcher.value == ".*":
                what = f"{matcher.name}!~'.*' leaves everything out"
                yield Problem(query.text.place(start, end), query.subject, what)


def _selections_without_a_name(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(VectorSelector):
        if node.metric_name or query.role is Role.VARIABLE:
            continue
        names = [one for one in node.matchers if one.name == METRIC_NAME]
        if any(query.is_open(one) or _is_narrow(one.value) for one in names):
            continue
        if any(above for above in examined.ancestors(query, node) if _is_info(above)):
            continue
        yield at(query, node, "looks through every metric that there is")


def _is_narrow(pattern: str) -> bool:
    """Whether a pattern of names begins with a name."""
    return re.match(r"\(?[a-zA-Z_:]{3,}", pattern) is not None


def _is_info(node: object) -> bool:
    return isinstance(node, Call) and node.name == "info"


CHECKS = (
    Check(
        id="promql-syntax",
        severity=Severity.ERROR,
        reason="Prometheus refuses an expression that does not parse, and with it the whole file.",
        repair="Correct the expression; `watchkeeper promql fmt` shows how it is read.",
        find=_syntax_errors,
    ),
    Check(
        id="range-too-short",
        severity=Severity.WARNING,
        reason="A rate needs two samples: with one scrape missed or late a short range has none.",
        repair="Take at least four scrapes.",
        find=_short_ranges,
        parameters={"scrapes": 4},
        fixes=True,
    ),
    Check(
        id="needless-regex",
        severity=Severity.WARNING,
        reason="A comparison is quicker than a pattern, and says what is meant.",
        repair="Write = instead of =~, != instead of !~.",
        find=_needless_regexes,
        fixes=True,
    ),
    Check(
        id="anchored-regex",
        severity=Severity.WARNING,
        reason="Prometheus matches the whole value anyway.",
        repair="Leave ^ and $ out.",
        find=_anchored_regexes,
    ),
    Check(
        id="catch-all-matcher",
        severity=Severity.WARNING,
        reason="A matcher that every series fulfils, or none, selects nothing in particular.",
        repair='Leave it out, or write =~".+" for series that have the label.',
        find=_catch_all_matchers,
    ),
    Check(
        id="selector-without-name",
        severity=Severity.WARNING,
        reason="Without a metric name every series in the database is looked at.",
        repair="Name the metric.",
        find=_selections_without_a_name,
    ),
)
