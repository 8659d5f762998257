"""Conditions on labels as Alertmanager writes them: `severity="critical"`, `{team=~"a|b"}`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.regex import compile_regex

_NAME = re.compile(r'\s*(?:([a-zA-Z_:][\w:.-]*)|"((?:[^"\\]|\\.)*)")\s*(=~|!~|!=|=)\s*')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BARE = re.compile(r'[^,"{}]*')
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_REGEX_OPERATORS = (MatchOperator.REGEX, MatchOperator.NOT_REGEX)


@dataclass(frozen=True, slots=True)
class Matchers:
    """Conditions that must all hold; none at all holds always."""

    items: tuple[Matcher, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether every condition holds; a missing label counts as the empty string."""
        return all(holds(matcher, labels.get(matcher.name, "")) for matcher in self.items)

    def __str__(self) -> str:
        return "{" + ",".join(written(matcher) for matcher in self.items) + "}"


def matchers_of(items: Iterable[Matcher]) -> Matchers:
    """Return conditions in the order that Alertmanager keeps them: by name."""
    return Matchers(tuple(sorted(items, key=lambda item: (item.name, item.value, item.operator))))


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Return the conditions of `text`, with or without braces. Raises ValueError."""
    body = text.strip()
    if body.startswith("{"):
        if not body.endswith("}"):
            raise ValueError(f"matcher {text!r} opens {{ and does not close it")
        body = body[1:-1]
    found: list[Matcher] = []
    position = 0
    while body[position:].strip():
        matcher, position = _matcher(body, position, text)
        found.append(matcher)
    return tuple(found)


def matcher(name: str, operator: MatchOperator, value: str) -> Matcher:
    """Return one condition. Raises ValueError if its regular expression is none."""
    if operator in _REGEX_OPERATORS:
        compile_regex(value, dot_is_any=False)
    return Matcher(name, operator, value)


def holds(matcher: Matcher, value: str) -> bool:
    """Whether a label's value fulfils the condition."""
    match matcher.operator:
        case MatchOperator.EQUAL:
            return value == matcher.value
        case MatchOperator.NOT_EQUAL:
            return value != matcher.value
    found = compile_regex(matcher.value, dot_is_any=False).fullmatch(value) is not None
    return found == (matcher.operator is MatchOperator.REGEX)


def written(matcher: Matcher) -> str:
    """Return a condition as text that parses back to it."""
    value = json.dumps(matcher.value, ensure_ascii=False)
    return f"{matcher.name}{matcher.operator.value}{value}"


def _matcher(body: str, position: int, text: str) -> tuple[Matcher, int]:
    head = _NAME.match(body, position)
    if head is None:
        raise ValueError(f'{text!r} is not a matcher: write label="value"')
    name = head[1] or _unescaped(head[2])
    quoted = _QUOTED.match(body, head.end())
    bare = quoted or _BARE.match(body, head.end())
    if bare is None:
        raise ValueError(f"{text!r} is not a matcher")
    value = _unescaped(quoted[1]) if quoted else bare[0].strip()
    rest = re.compile(r"\s*(,|\Z)").match(body, bare.end())
    if rest is None:
        raise ValueError(f"matcher {text!r}: put the value in double quotes")
    return matcher(name, MatchOperator(head[3]), value), rest.end()


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text)
