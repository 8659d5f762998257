"""What operators do to label sets: keep some, drop some, find those that agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter

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


def group_keys(series: list[Labels], names: Iterable[str], *, excluding: bool) -> list[Labels]:
    """Return what `grouper` makes of each label set.

    Series of one metric have the same labels in the same places nearly always: then their keys
    are cut out by place, and only the different ones are looked at.
    """
    unwanted = frozenset(names) | METADATA
    wanted = frozenset(names)
    if series and not excluding and wanted:
        found = _cut(series, [n for n, (name, _) in enumerate(series[0]) if name in wanted])
        if found is not None and len(found[0]) == len(wanted):
            return found
    elif series and excluding and len(unwanted) > len(METADATA):
        places = [n for n, (name, _) in enumerate(series[0]) if name not in unwanted]
        found = _cut(series, places) if _alike(series, unwanted) else None
        if found is not None:
            return found
    return list(map(grouper(names, excluding=excluding), series))


def _cut(series: list[Labels], places: list[int]) -> list[Labels] | None:
    """Return the pairs at some places of each, if they have the names that the first has there."""
    if not places:
        return None
    alone = slice(places[0], places[0] + 1)
    cut: Callable[[Labels], Labels] = itemgetter(*places) if len(places) > 1 else itemgetter(alone)
    try:
        keys = list(map(cut, series))
    except IndexError:
        return None
    names = [name for name, _ in keys[0]]
    same = all([name for name, _ in key] == names for key in set(keys))
    return keys if same else None


def _alike(series: list[Labels], unwanted: frozenset[str]) -> bool:
    """Tell whether all have as many labels as the first, the unwanted ones in the same places."""
    first = series[0]
    if set(map(len, series)) != {len(first)}:
        return False
    places = [n for n, (name, _) in enumerate(first) if name in unwanted]
    return all(
        name == first[place][0]
        for place in places
        for name, _ in set(map(itemgetter(place), series))
    )


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
