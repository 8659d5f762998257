"""Which values of a label a proof puts in: those that its matchers tell apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchkeeper.contract import OTHER, Label
from watchkeeper.matching import predicate
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.prove.regex_examples import examples
from watchkeeper.regex import compile_regex

MOST_CLOSED = 12
MOST_ALIKE = 3
"""Of values that every matcher treats alike, so many are enough."""
REGEXES = (MatchOperator.REGEX, MatchOperator.NOT_REGEX)


def closed_values(label: Label) -> tuple[str, ...]:
    """Return every value that a label with a closed list can take; empty for an open one."""
    return (*label.values, OTHER) if label.values and OTHER not in label.values else label.values


def chosen_values(
    label: Label, matchers: Sequence[Matcher], least: int, alike: int = MOST_ALIKE
) -> tuple[str, ...]:
    """Return values that a declared label may take, at least `least` of them if there are.

    A closed list is put in whole where a matcher chooses from it. Of an open label come the
    values that matchers name, examples of their regular expressions, and others.
    """
    closed = closed_values(label)
    if closed:
        return closed[: MOST_CLOSED if matchers else least]
    allowed = [value for value in _candidates(label, matchers) if _is_allowed(label, value)]
    chosen = _representatives(allowed, matchers, alike if matchers else least)
    if len(chosen) < least:
        chosen += [value for value in allowed if value not in chosen][: least - len(chosen)]
    return tuple(chosen)


def named_values(matcher: Matcher) -> list[str]:
    """Return the values that a matcher names, or examples of those that it takes."""
    if matcher.operator in REGEXES:
        pattern = compile_regex(matcher.value)
        return [text for text in examples(matcher.value) if text and pattern.fullmatch(text)]
    return [matcher.value] if matcher.value else []


def _candidates(label: Label, matchers: Sequence[Matcher]) -> Iterator[str]:
    seen: set[str] = set()
    for matcher in matchers:
        for value in named_values(matcher):
            if value not in seen:
                seen.add(value)
                yield value
    others = examples(label.pattern) if label.pattern else _generic(label.name)
    yield from (value for value in others if value not in seen)


def _generic(name: str) -> list[str]:
    return [f"{name}_{number}" for number in range(1, 9)]


def _is_allowed(label: Label, value: str) -> bool:
    if not value:
        return False
    return not label.pattern or compile_regex(label.pattern).fullmatch(value) is not None


def _representatives(values: list[str], matchers: Sequence[Matcher], most: int) -> list[str]:
    """Return at most `most` of the values on which all matchers agree."""
    tests = [predicate(matcher) for matcher in matchers]
    alike: dict[tuple[bool, ...], list[str]] = {}
    for value in values:
        alike.setdefault(tuple(test(value) for test in tests), []).append(value)
    return [value for group in alike.values() for value in group[:most]]
