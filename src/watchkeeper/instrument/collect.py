"""What /metrics shows: the families of a contract, added up over the processes of the service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

import orjson

from watchkeeper.contract import Combine, Counter, Gauge, Histogram, Metric
from watchkeeper.instrument.process_files import OtherProcesses
from watchkeeper.instrument.registry import Family
from watchkeeper.instrument.series import CounterSeries, HistogramSeries, Series, exemplar_of
from watchkeeper.model import Labels, NativeHistogram
from watchkeeper.wire.family import FamilySample, MetricFamily, format_bound

Cells = Sequence[float]
Totals = dict[tuple[str, ...], Cells]


def collect(
    families: Iterable[Family],
    others: OtherProcesses | None = None,
    since_seconds: float | None = None,
) -> list[MetricFamily]:
    """Return the families with their samples, sorted by label values.

    `since_seconds` is when this process began to count (Unix time); given, all that counts says
    since when it does.

    Counters, histograms and summaries add up, the dead included. Gauges combine as they declare,
    over the living. A gauge that nobody has set is left out, unless a sum of nothing is a true
    zero.
    """
    totals = {family.declaration.name: _own(family) for family in families}
    by_name = {family.declaration.name: family for family in families}
    for process in [] if others is None else others.live:
        _merge(totals, by_name, process, gauges=True)
    for process in [] if others is None else others.retired:
        _merge(totals, by_name, process, gauges=False)
    if since_seconds is not None and others is not None:
        since_seconds = min(since_seconds, others.since_seconds)
    return [_to_wire(family, totals[family.declaration.name], since_seconds) for family in families]


def _own(family: Family) -> Totals:
    with family.recording.lock:
        return {values: series.cells.tolist() for values, series in family.series.items()}


def _merge(
    totals: dict[str, Totals],
    families: dict[str, Family],
    process: dict[bytes, tuple[float, ...]],
    *,
    gauges: bool,
) -> None:
    for key, cells in process.items():
        try:
            name, *label_values = orjson.loads(key)
        except (ValueError, TypeError):
            continue
        family = families.get(name)
        # A sibling of another version may count what this one does not know, or otherwise.
        if family is None or len(cells) != family.size:
            continue
        declaration = family.declaration
        if len(label_values) != len(declaration.labels):
            continue
        if isinstance(declaration, Gauge) and not gauges:
            continue
        series = totals[name]
        values = tuple(label_values)
        before = series.get(values)
        series[values] = cells if before is None else _combine(declaration, before, cells)


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


def _to_wire(family: Family, totals: Totals, since_seconds: float | None) -> MetricFamily:
    declaration = family.declaration
    samples: list[FamilySample] = []
    native: dict[Labels, NativeHistogram] = {}
    known = family.label_sets
    for values in sorted(totals):
        label_sets = known.get(values)
        if label_sets is None:
            label_sets = known[values] = _label_sets(declaration, values)
        cells = totals[values]
        samples += _samples(
            declaration, label_sets, cells, family.series.get(values), since_seconds
        )
        if family.native is not None and len(cells) > len(label_sets):
            of_native = cells[len(label_sets) :]
            native[label_sets[0]] = family.native.histogram(of_native, cells[len(label_sets) - 1])
    name = declaration.name
    if isinstance(declaration, Counter):
        name = name.removesuffix("_total")
    unit = declaration.unit if name.endswith(f"_{declaration.unit}") else ""
    return MetricFamily(name, declaration.type, declaration.help, unit, tuple(samples), native)


def _label_sets(declaration: Metric, values: tuple[str, ...]) -> tuple[Labels, ...]:
    """Return the labels of a series, then those of each of its buckets."""
    labels = tuple(zip(declaration.label_names, values, strict=True))
    if not isinstance(declaration, Histogram):
        return (labels,)
    bounds = [format_bound(bound) for bound in (*declaration.buckets, float("inf"))]
    return (labels, *[(*labels, ("le", bound)) for bound in bounds])


def _samples(
    declaration: Metric,
    label_sets: tuple[Labels, ...],
    cells: Cells,
    own: Series | None,
    since_seconds: float | None,
) -> list[FamilySample]:
    labels = label_sets[0]
    if isinstance(declaration, Counter):
        sighting = own.sighting if isinstance(own, CounterSeries) else None
        exemplar = exemplar_of(sighting) if sighting else None
        return [FamilySample("_total", labels, cells[0], exemplar, since_seconds)]
    if isinstance(declaration, Gauge):
        if not cells[1] and declaration.combine is not Combine.SUM:
            return []
        return [FamilySample("", labels, cells[0])]
    if isinstance(declaration, Histogram):
        return _histogram(label_sets, cells, own, since_seconds)
    return [
        FamilySample("_count", labels, cells[0], None, since_seconds),
        FamilySample("_sum", labels, cells[1]),
    ]


def _histogram(
    label_sets: tuple[Labels, ...], cells: Cells, own: Series | None, since_seconds: float | None
) -> list[FamilySample]:
    sightings = dict(own.sightings) if isinstance(own, HistogramSeries) else {}
    exemplars = {bucket: exemplar_of(sighting) for bucket, sighting in sightings.items()}
    labels, *buckets = label_sets
    samples = []
    for index, (bucket, count) in enumerate(zip(buckets, accumulate(cells), strict=False)):
        samples.append(FamilySample("_bucket", bucket, count, exemplars.get(index)))
    samples.append(FamilySample("_count", labels, samples[-1].value, None, since_seconds))
    samples.append(FamilySample("_sum", labels, cells[len(buckets)]))
    return samples
