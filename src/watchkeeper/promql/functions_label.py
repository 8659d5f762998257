"""Functions that change labels, not values."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.model import METRIC_NAME, Labels
from watchkeeper.promql.label_sets import replaced, value_of
from watchkeeper.promql.limits import Budget
from watchkeeper.promql.merging import merge_same
from watchkeeper.promql.values import Vectors
from watchkeeper.regex import compile_regex

_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def label_replace(
    vector: Vectors, target: str, replacement: str, source: str, pattern: str, budget: Budget
) -> Vectors:
    """Set `target` from `replacement` where `source` matches `pattern` as a whole."""
    _require_label_name(target, "label_replace")
    try:
        regex = compile_regex(pattern)
    except ValueError as error:
        raise QueryError(f"invalid regular expression in label_replace(): {error}") from None
    template = _Template(replacement)
    changed: list[Labels] = []
    touched: list[bool] = []
    for labels in vector.labels:
        match = regex.fullmatch(value_of(labels, source))
        touched.append(match is not None)
        changed.append(
            labels if match is None else replaced(labels, target, template.filled(match, budget))
        )
    return _relabelled(vector, changed, target, touched)


class _Template:
    """A text with `$1`, `${name}`, as Go's Regexp.Expand fills it: unknown groups are empty."""

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[str, str | int | None]] = []
        begin = 0
        for reference in _REFERENCE.finditer(text):
            before = text[begin : reference.start()] + ("$" if reference[1] else "")
            name = reference[2] or reference[3]
            self._parts.append((before, int(name) if name and name.isdigit() else name))
            begin = reference.end()
        self._parts.append((text[begin:], None))

    def filled(self, match: re.Match[str], budget: Budget) -> str:
        """Return the text for one match. Raises QueryLimitError before it becomes too long."""
        pieces = [piece for text, name in self._parts for piece in (text, _group(match, name))]
        budget.spend_characters(sum(map(len, pieces)))
        return "".join(pieces)


def _group(match: re.Match[str], name: str | int | None) -> str:
    if name is None:
        return ""
    try:
        return match.group(name) or ""
    except (IndexError, KeyError, OverflowError):
        return ""


def label_join(
    vector: Vectors, target: str, separator: str, sources: list[str], budget: Budget
) -> Vectors:
    """Set `target` to the values of `sources`, joined."""
    _require_label_name(target, "label_join")
    changed = []
    for labels in vector.labels:
        pieces = [value_of(labels, one) for one in sources]
        budget.spend_characters(sum(map(len, pieces)) + len(separator) * len(pieces))
        changed.append(replaced(labels, target, separator.join(pieces)))
    return _relabelled(vector, changed, target, [True] * len(changed))


def _relabelled(vector: Vectors, labels: list[Labels], target: str, touched: list[bool]) -> Vectors:
    drops = vector.drops_name.copy()
    if target == METRIC_NAME:
        drops[touched] = False
    return merge_same(replace(vector, labels=labels, drops_name=drops))


def _require_label_name(name: str, function: str) -> None:
    valid = bool(name) and not any(0xDC80 <= ord(one) <= 0xDCFF for one in name)
    if not valid:
        shown = "".join(
            f"\\x{ord(one) - 0xDC00:02x}" if 0xDC80 <= ord(one) <= 0xDCFF else one for one in name
        )
        raise QueryError(f'invalid label name "{shown}" in {function}()')


_DIGITS = re.compile(r"(\d+)")


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts `a2` before `a10`."""
    parts = _DIGITS.split(text)
    return tuple((0, int(part), part) if part.isdigit() else (1, 0, part) for part in parts if part)


def sort_by_label(vector: Vectors, names: list[str], *, descending: bool) -> Vectors:
    """Order the series by the values of labels, numbers inside them by size."""

    def key(row: int) -> tuple[object, ...]:
        labels = vector.labels[row]
        return (*(natural_key(value_of(labels, name)) for name in names), labels)

    order = sorted(range(len(vector.labels)), key=key, reverse=descending)
    return replace(vector.take(np.array(order, dtype=np.int64)), ordered=True)
