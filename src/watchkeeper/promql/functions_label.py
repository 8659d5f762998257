"""Functions that change labels, not values."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.model import METRIC_NAME, Labels
from watchkeeper.promql.label_sets import replaced, value_of
from watchkeeper.promql.matching import compile_regex
from watchkeeper.promql.merging import merge_same
from watchkeeper.promql.values import Vectors

_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


def label_replace(
    vector: Vectors, target: str, replacement: str, source: str, pattern: str
) -> Vectors:
    """Set `target` from `replacement` where `source` matches `pattern` as a whole."""
    _require_label_name(target, "label_replace")
    try:
        regex = compile_regex(pattern)
    except ValueError as error:
        raise QueryError(f"invalid regular expression in label_replace(): {error}") from None
    changed: list[Labels] = []
    touched: list[bool] = []
    for labels in vector.labels:
        match = regex.fullmatch(value_of(labels, source))
        touched.append(match is not None)
        changed.append(
            labels if match is None else replaced(labels, target, _expand(replacement, match))
        )
    return _relabelled(vector, changed, target, touched)


def _expand(template: str, match: re.Match[str]) -> str:
    """Fill `$1`, `${name}` as Go's Regexp.Expand does: unknown groups are empty."""

    def group(reference: re.Match[str]) -> str:
        if reference[1]:
            return "$"
        name = reference[2] or reference[3]
        try:
            return match.group(int(name) if name.isdigit() else name) or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(group, template)


def label_join(vector: Vectors, target: str, separator: str, sources: list[str]) -> Vectors:
    """Set `target` to the values of `sources`, joined."""
    _require_label_name(target, "label_join")
    changed = [
        replaced(labels, target, separator.join(value_of(labels, one) for one in sources))
        for labels in vector.labels
    ]
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
