"""What operators do to label sets: keep some, drop some, find those that agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from watchkeeper.model import METRIC_NAME, Labels

METADATA = frozenset({METRIC_NAME, "__type__", "__unit__"})
"""Labels that describe the metric and go with its name."""


def drop_name(labels: Labels) -> Labels:
    """Return the labels without the metric's name, type and unit."""
    if len(labels) > 0 and labels[0][0] == METRIC_NAME:
        rest = labels[1:]
        if not rest or rest[0][0][0] != "_":
            return rest
    return tuple(pair for pair in labels if pair[0] not in METADATA)


def bare(labels: Labels) -> Labels:
    """Return the labels without the metric's name alone."""
    if labels and labels[0][0] == METRIC_NAME:
        return labels[1:]
    return tuple(pair for pair in labels if pair[0] != METRIC_NAME)


def keep(labels: Labels, names: Iterable[str]) -> Labels:
    """Return only the labels of these names."""
    wanted = frozenset(names)
    return tuple(pair for pair in labels if pair[0] in wanted)


def without(labels: Labels, names: Iterable[str]) -> Labels:
    """Return the labels other than these names."""
    unwanted = frozenset(names)
    return tuple(pair for pair in labels if pair[0] not in unwanted)


def grouper(names: Iterable[str], *, excluding: bool) -> Callable[[Labels], Labels]:
    """Return what makes a group's key of a label set: `by` the names or `without` them."""
    if excluding:
        unwanted = frozenset(names) | METADATA
        if len(unwanted) == len(METADATA):
            return drop_name
        return lambda labels: tuple(pair for pair in labels if pair[0] not in unwanted)
    wanted = frozenset(names)
    if not wanted:
        return lambda labels: ()
    return lambda labels: tuple(pair for pair in labels if pair[0] in wanted)


def replaced(labels: Labels, name: str, value: str) -> Labels:
    """Return the labels with one set anew, or removed when `value` is empty."""
    rest = [pair for pair in labels if pair[0] != name]
    if value:
        rest.append((name, value))
        rest.sort()
    return tuple(rest)


def value_of(labels: Labels, name: str) -> str:
    """Return the value of a label, '' when it is missing."""
    for key, value in labels:
        if key == name:
            return value
    return ""


def show(labels: Labels) -> str:
    """Return a label set as Prometheus prints it in errors: `{a="b", c="d"}`."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
