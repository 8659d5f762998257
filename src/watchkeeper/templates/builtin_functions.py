"""The functions that every Go template has (text/template, `Functions`).

`and` and `or` are not here: they stop at the first argument that decides, so the evaluator
evaluates them itself.
"""

from __future__ import annotations

import html
import re
import urllib.parse
from collections.abc import Callable, Mapping

from watchkeeper.errors import TemplateError
from watchkeeper.templates.printf import printf, println, sprint
from watchkeeper.templates.values import text, truth, type_name

_SCRIPT_UNSAFE = re.compile("[\\\\'\"<>&=\\x00-\\x1f]")

LAZY = frozenset({"and", "or"})
"""Names that the evaluator answers itself."""


def _negation(value: object) -> bool:
    return not truth(value)


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping | list | tuple):
        return len(value)
    raise TemplateError(f"len of type {type_name(value)}")


def _index(value: object, *keys: object) -> object:
    for key in keys:
        if isinstance(value, Mapping):
            value = value.get(key, "")
        elif isinstance(value, list | tuple | str):
            value = _element(value, key)
        else:
            raise TemplateError(f"can't index item of type {type_name(value)}")
    return value


def _element(value: list[object] | tuple[object, ...] | str, key: object) -> object:
    if not isinstance(key, int) or isinstance(key, bool):
        raise TemplateError(f"cannot index slice/array with type {type_name(key)}")
    if not 0 <= key < len(value):
        raise TemplateError(f"index out of range: {key}")
    return value.encode()[key] if isinstance(value, str) else value[key]


def _slice(value: object, *bounds: object) -> object:
    if not isinstance(value, list | tuple | str):
        raise TemplateError(f"can't slice item of type {type_name(value)}")
    numbers = [bound for bound in bounds if isinstance(bound, int)]
    if len(numbers) != len(bounds) or any(not 0 <= bound <= len(value) for bound in numbers):
        raise TemplateError("index out of range")
    start = numbers[0] if numbers else 0
    end = numbers[1] if len(numbers) > 1 else len(value)
    return value[start:end]


def _call(function: object, *arguments: object) -> object:
    if not callable(function):
        raise TemplateError(f"non-function {text(function)} in call")
    return function(*arguments)


def _script(*arguments: object) -> str:
    return _SCRIPT_UNSAFE.sub(_script_escape, sprint(*arguments))


def _script_escape(match: re.Match[str]) -> str:
    character = match[0]
    return "\\" + character if character in "\\\"'" else f"\\u{ord(character):04X}"


def escape_html(shown: str) -> str:
    """Return text as Go writes it into HTML."""
    return html.escape(shown).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")


def _equal(value: object, *others: object) -> bool:
    if not others:
        raise TemplateError("missing argument for comparison")
    return any(_same(value, other) for other in others)


def _not_equal(value: object, other: object) -> bool:
    return not _same(value, other)


def _same(value: object, other: object) -> bool:
    if value is None or other is None:
        return value is other
    _require_comparable(value, other)
    return value == other


def _less(value: object, other: object) -> bool:
    kind = _require_comparable(value, other)
    if kind == "bool":
        raise TemplateError("invalid type for comparison: bool")
    return bool(value < other)  # type: ignore[operator]  # same ordered kind, checked above


def _less_or_equal(value: object, other: object) -> bool:
    return _less(value, other) or _same(value, other)


def _require_comparable(value: object, other: object) -> str:
    kinds = [type_name(value), type_name(other)]
    for side, kind in zip((value, other), kinds, strict=True):
        if not isinstance(side, bool | int | float | str):
            raise TemplateError(f"invalid type for comparison: {kind}")
    if kinds[0] != kinds[1]:
        raise TemplateError(f"incompatible types for comparison: {kinds[0]} and {kinds[1]}")
    return kinds[0]


BUILTINS: Mapping[str, Callable[..., object]] = {
    "not": _negation,
    "len": _length,
    "index": _index,
    "slice": _slice,
    "call": _call,
    "print": sprint,
    "printf": printf,
    "println": println,
    "html": lambda *arguments: escape_html(sprint(*arguments)),
    "js": _script,
    "urlquery": lambda *arguments: urllib.parse.quote_plus(sprint(*arguments)),
    "eq": _equal,
    "ne": _not_equal,
    "lt": _less,
    "le": _less_or_equal,
    "gt": lambda value, other: not _less_or_equal(value, other),
    "ge": lambda value, other: not _less(value, other),
}
