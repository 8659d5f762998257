"""What label matchers let pass: a missing label is the empty string; regexes match as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import Labels, Matcher, MatchOperator
from watchkeeper.regex import compile_regex

Predicate = Callable[[str], bool]


def predicate(matcher: Matcher) -> Predicate:
    """Return the test of a label's value ('' for a missing label). Raises QuerySyntaxError."""
    wanted = matcher.value
    match matcher.operator:
        case MatchOperator.EQUAL:
            return lambda value: value == wanted
        case MatchOperator.NOT_EQUAL:
            return lambda value: value != wanted
        case MatchOperator.REGEX:
            _require_regex(wanted)
            return lambda value: _full_match(wanted, value)
        case MatchOperator.NOT_REGEX:
            _require_regex(wanted)
            return lambda value: not _full_match(wanted, value)


def predicates(matchers: Iterable[Matcher]) -> list[tuple[str, Predicate]]:
    """Return the tests by label name, for `fulfils`. Raises QuerySyntaxError."""
    return [(matcher.name, predicate(matcher)) for matcher in matchers]


def fulfils(labels: Labels, tests: Iterable[tuple[str, Predicate]]) -> bool:
    """Tell whether a label set passes every test."""
    values = dict(labels)
    return all(test(values.get(name, "")) for name, test in tests)


def matches(labels: Labels, matchers: Iterable[Matcher]) -> bool:
    """Tell whether a label set fulfils every matcher. Raises QuerySyntaxError."""
    return fulfils(labels, predicates(matchers))


def _require_regex(pattern: str) -> None:
    try:
        compile_regex(pattern)
    except ValueError as error:
        raise QuerySyntaxError(str(error), end=len(pattern)) from None


@lru_cache(maxsize=16_384)
def _full_match(pattern: str, value: str) -> bool:
    # Given bytes, RE2 is called once: given a str, once more for each place of the match.
    return compile_regex(pattern).fullmatch(value.encode()) is not None
