"""What /metrics shows: the families of a contract, added up over the processes of the service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from watchkeeper.contract import Combine, Counter, Gauge, Histogram, Metric
from watchkeeper.instrument.process_files import OtherProcesses
from watchkeeper.instrument.registry import Family
from watchkeeper.instrument.series import CounterSeries, HistogramSeries, Series, exemplar_of
from watchkeeper.model import Labels
from watchkeeper.wire.family import FamilySample, MetricFamily, format_bound

Cells = Sequence[float]
Totals = dict[tuple[str, ...], Cells]


def collect(families: Iterable[Family], others: OtherProcesses | None = None) -> list[MetricFamily]:
    """Return the families with their samples, sorted by label values.

    Counters, histograms and summaries add up, the dead included. Gauges combine as they declare,
    over the living. A gauge that nobody has set is left out, unless a sum of nothing is a true
    zero.
    """
    totals = {family.declaration.name: _own(family) for family in families}
    declarations = {family.declaration.name: family.declaration for family in families}
    for process in [] if others is None else others.live:
        _merge(totals, declarations, process, gauges=True)
    for process in [] if others is None else others.retired:
        _merge(totals, declarations, process, gauges=False)
    return [
        _to_wire(family.declaration, totals[family.declaration.name], family.series)
        for family in families
    ]


def _own(family: Family) -> Totals:
    with family.recording.lock:
        return {values: series.cells.tolist() for values, series in family.series.items()}


def _merge(
    totals: dict[str, Totals],
    declarations: dict[str, Metric],
    process: dict[bytes, tuple[float, ...]],
    *,
    gauges: bool,
) -> None:
    for key, cells in process.items():
        name, *label_values = orjson.loads(key)
        declaration = declarations.get(name)
        # A sibling of another version may count what this one does not know.
        if declaration is None or len(label_values) != len(declaration.labels):
            continue
        if isinstance(declaration, Gauge) and not gauges:
            continue
        series = totals[name]
        values = tuple(label_values)
        before = series.get(values)
        if before is None:
            series[values] = cells
        elif len(before) == len(cells):
            series[values] = _combine(declaration, before, cells)


def _combine(declaration: Metric, one: Cells, other: Cells) -> Cells:
    if not isinstance(declaration, Gauge):
        return [a + b for a, b in zip(one, other, strict=True)]
    if not one[1] or not other[1]:
        return one if one[1] else other
    newest = max(one[1], other[1])
    if declaration.combine is Combine.SUM:
        return (one[0] + other[0], newest)
    if declaration.combine is Combine.MAXIMUM:
        return (max(one[0], other[0]), newest)
    return one if one[1] >= other[1] else other


def _to_wire(
    declaration: Metric, totals: Totals, series: dict[tuple[str, ...], Series]
) -> MetricFamily:
    samples: list[FamilySample] = []
    names = declaration.label_names
    for values in sorted(totals):
        labels = tuple(zip(names, values, strict=True))
        samples += _samples(declaration, labels, totals[values], series.get(values))
    name = declaration.name
    if isinstance(declaration, Counter):
        name = name.removesuffix("_total")
    unit = declaration.unit if name.endswith(f"_{declaration.unit}") else ""
    return MetricFamily(name, declaration.type, declaration.help, unit, tuple(samples))


def _samples(
    declaration: Metric, labels: Labels, cells: Cells, own: Series | None
) -> list[FamilySample]:
    if isinstance(declaration, Counter):
        sighting = own.sighting if isinstance(own, CounterSeries) else None
        exemplar = exemplar_of(sighting) if sighting else None
        return [FamilySample("_total", labels, cells[0], exemplar)]
    if isinstance(declaration, Gauge):
        if not cells[1] and declaration.combine is not Combine.SUM:
            return []
        return [FamilySample("", labels, cells[0])]
    if isinstance(declaration, Histogram):
        return _histogram(declaration, labels, cells, own)
    return [FamilySample("_count", labels, cells[0]), FamilySample("_sum", labels, cells[1])]


def _histogram(
    declaration: Histogram, labels: Labels, cells: Cells, own: Series | None
) -> list[FamilySample]:
    sightings = dict(own.sightings) if isinstance(own, HistogramSeries) else {}
    exemplars = {bucket: exemplar_of(sighting) for bucket, sighting in sightings.items()}
    samples = []
    count = 0.0
    for index, bound in enumerate((*declaration.buckets, float("inf"))):
        count += cells[index]
        samples.append(
            FamilySample(
                "_bucket", (*labels, ("le", format_bound(bound))), count, exemplars.get(index)
            )
        )
    samples.append(FamilySample("_count", labels, count))
    samples.append(FamilySample("_sum", labels, cells[len(declaration.buckets) + 1]))
    return samples
