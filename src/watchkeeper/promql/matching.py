"""Label matchers: RE2, anchored at both ends; a missing label is the empty string."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

from watchkeeper.model import Labels, Matcher, MatchOperator


@lru_cache(maxsize=1024)
def compile_regex(pattern: str) -> Any:
    """Return the compiled RE2 pattern, `.` matching newlines too. Raises ValueError."""
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise ValueError(f"error parsing regexp {pattern!r}: {reason}") from None


def predicate(matcher: Matcher) -> Callable[[str], bool]:
    """Return the test that a label's value must pass."""
    wanted = matcher.value
    match matcher.operator:
        case MatchOperator.EQUAL:
            return lambda value: value == wanted
        case MatchOperator.NOT_EQUAL:
            return lambda value: value != wanted
        case MatchOperator.REGEX:
            pattern = compile_regex(wanted)
            return lambda value: pattern.fullmatch(value) is not None
        case MatchOperator.NOT_REGEX:
            pattern = compile_regex(wanted)
            return lambda value: pattern.fullmatch(value) is None


def matches(labels: Labels, matchers: tuple[Matcher, ...]) -> bool:
    """Tell whether a label set fulfils every matcher."""
    values = dict(labels)
    return all(predicate(matcher)(values.get(matcher.name, "")) for matcher in matchers)
