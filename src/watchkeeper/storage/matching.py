"""What a matcher lets pass. A missing label is the empty string; regexes are RE2, anchored."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import Labels, Matcher, MatchOperator

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
            _compiled(wanted)
            return lambda value: _full_match(wanted, value)
        case MatchOperator.NOT_REGEX:
            _compiled(wanted)
            return lambda value: not _full_match(wanted, value)


def matches(matchers: list[tuple[str, Predicate]], labels: Labels) -> bool:
    """Return whether a label set fulfils every test."""
    values = dict(labels)
    return all(test(values.get(name, "")) for name, test in matchers)


@lru_cache(maxsize=16_384)
def _full_match(pattern: str, value: str) -> bool:
    # Given bytes, RE2 is called once: given a str, once more for each place of the match.
    return _compiled(pattern).fullmatch(value.encode()) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise QuerySyntaxError(
            f"the regular expression {pattern!r} is not RE2: {text}", end=len(pattern)
        ) from None
