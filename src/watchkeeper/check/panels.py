"""Checks of a panel's unit, thresholds and bounds against what its queries give."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.finding import Severity
from watchkeeper.check.shape import Shape, Sort
from watchkeeper.check.subject import Panel
from watchkeeper.check.unit import COUNT, PERCENT, RATIO, SECONDS, TIMESTAMP, Unit

_NEUTRAL = frozenset({"", "short", "none", "locale", "sishort", "string", "bool", "bool_yes_no"})
_UNITS: dict[str, frozenset[Unit]] = {
    **dict.fromkeys(
        ("s", "dtdurations", "clocks"), frozenset({Unit(SECONDS), Unit(SECONDS, per_second=True)})
    ),
    "ms": frozenset({Unit("milliseconds")}),
    "m": frozenset({Unit("minutes")}),
    "h": frozenset({Unit("hours")}),
    "d": frozenset({Unit("days")}),
    **dict.fromkeys(("bytes", "decbytes"), frozenset({Unit("bytes")})),
    **dict.fromkeys(("bits", "decbits"), frozenset({Unit("bits")})),
    **dict.fromkeys(("kbytes", "deckbytes"), frozenset({Unit("kibibytes"), Unit("kilobytes")})),
    **dict.fromkeys(("mbytes", "decmbytes"), frozenset({Unit("mebibytes"), Unit("megabytes")})),
    **dict.fromkeys(("gbytes", "decgbytes"), frozenset({Unit("gibibytes"), Unit("gigabytes")})),
    **dict.fromkeys(("Bps", "binBps"), frozenset({Unit("bytes", per_second=True)})),
    **dict.fromkeys(("bps", "binbps"), frozenset({Unit("bits", per_second=True)})),
    "percentunit": frozenset({Unit(RATIO), Unit(SECONDS, per_second=True)}),
    "percent": frozenset({Unit(PERCENT)}),
    **dict.fromkeys(
        ("reqps", "ops", "rps", "cps", "iops", "wps", "eps", "mps", "recps", "rowsps"),
        frozenset({Unit(COUNT, per_second=True)}),
    ),
    **dict.fromkeys(
        ("dateTimeAsIso", "dateTimeFromNow", "dateTimeAsLocal"), frozenset({Unit(TIMESTAMP)})
    ),
    "currencyUSD": frozenset({Unit("usd"), Unit("usd", per_second=True)}),
    "celsius": frozenset({Unit("celsius")}),
}
"""Grafana's unit ids, and what they are right for."""


def _wrong_units(examined: Examined) -> Iterator[Problem]:
    for panel in examined.subjects.panels:
        fitting = _UNITS.get(panel.unit)
        if fitting is None or panel.unit in _NEUTRAL or panel.unit_place is None:
            continue
        for unit, shape in _units(examined, panel):
            if unit in fitting or _is_near(unit, panel.unit, shape):
                continue
            yield Problem(
                panel.unit_place,
                panel.subject,
                f"shows {panel.unit!r}, and the query gives {_named(unit)}",
            )
            break


def _units(examined: Examined, panel: Panel) -> list[tuple[Unit, Shape]]:
    found = []
    for target in panel.targets:
        shape = examined.root(target.query)
        by_bucket = shape.sort is Sort.BUCKET and shape.labels.may_have("le")
        if shape.unit is not None and not by_bucket:
            found.append((shape.unit, shape))
    return found


def _is_near(unit: Unit, shown: str, shape: Shape) -> bool:
    """Counts are of anything, and a share of a second is a ratio too."""
    if unit == Unit(COUNT):
        return shown not in ("s", "ms", "percentunit", "percent", "bytes")
    return unit == Unit(RATIO) and shown == "s"


def _named(unit: Unit) -> str:
    return "a ratio from 0 to 1" if unit == Unit(RATIO) else str(unit)


def _different_units(examined: Examined) -> Iterator[Problem]:
    for panel in examined.subjects.panels:
        if panel.kind not in ("timeseries", "graph") or _has_overrides(panel):
            continue
        units = {unit for unit, _ in _units(examined, panel) if unit.name != COUNT}
        if len(units) > 1:
            names = " and ".join(sorted(_named(unit) for unit in units))
            yield Problem(panel.place, panel.subject, f"draws {names} on one axis")


def _has_overrides(panel: Panel) -> bool:
    return panel.node is not None and bool(
        panel.node.elements("fieldConfig", "overrides") or panel.node.elements("seriesOverrides")
    )


def _odd_thresholds(examined: Examined) -> Iterator[Problem]:
    for panel in examined.subjects.panels:
        shapes = [examined.root(target.query) for target in panel.targets]
        if not shapes or any(target.query.tree is None for target in panel.targets):
            continue
        low, high = min(one.low for one in shapes), max(one.high for one in shapes)
        for value in panel.thresholds:
            if value > high or (value < low and value != 0):
                yield Problem(
                    panel.place,
                    panel.subject,
                    f"the threshold {value:g} is never reached: the value is between {low:g} and "
                    f"{high:g}",
                )
                break


def _odd_bounds(examined: Examined) -> Iterator[Problem]:
    for panel in examined.subjects.panels:
        for bound in (panel.maximum, *panel.thresholds):
            if bound is not None and panel.unit == "percentunit" and bound > 10:
                yield Problem(
                    panel.place,
                    panel.subject,
                    f"shows a ratio as per cent (1 is 100 %), and has a bound at {bound:g}",
                )
                break


CHECKS = (
    Check(
        id="panel-unit",
        severity=Severity.ERROR,
        reason="The panel says another unit than the numbers are in.",
        repair="Choose the unit of the query: percentunit for a ratio, percent after * 100.",
        find=_wrong_units,
    ),
    Check(
        id="panel-units-mixed",
        severity=Severity.WARNING,
        reason="Numbers of different units cannot be read off one axis.",
        repair="Make two panels of it, or give one series an axis of its own.",
        find=_different_units,
    ),
    Check(
        id="panel-threshold",
        severity=Severity.WARNING,
        reason="The colour never changes.",
        repair="Set thresholds inside the range of the values.",
        find=_odd_thresholds,
    ),
    Check(
        id="panel-bound",
        severity=Severity.WARNING,
        reason="With percentunit 1 is the whole.",
        repair="Write 0.9 for 90 %.",
        find=_odd_bounds,
    ),
)
