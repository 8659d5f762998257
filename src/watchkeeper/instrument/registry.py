"""The metrics of a contract in one process: families, their series, and what folds into `other`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from operator import itemgetter
from typing import Any

import orjson

from watchkeeper.contract import (
    OTHER,
    Counter,
    Gauge,
    Histogram,
    Label,
    Metric,
)
from watchkeeper.errors import ContractError
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.native import NativeCells
from watchkeeper.instrument.series import (
    CounterSeries,
    GaugeSeries,
    HistogramSeries,
    Recording,
    Series,
    SummarySeries,
)
from watchkeeper.instrument.values import MemoryValues, Values
from watchkeeper.model import Labels

MOST_SERIES = 10_000
"""Series of one metric in one process; beyond it, all labels of a new one fold."""

MOST_INITIALISED = 1_000
"""Series made at zero when a metric's labels are all closed lists."""

MOST_VALUE_BYTES = 200
"""A longer label value folds: no declared set of values needs it."""

OnFold = Callable[[str, str], None]
Clean = Callable[[str], str]


def _values_of(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return what gives the values of labels in the order of their names, or a KeyError."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda labels: tuple([labels[name] for name in names])


class Family:
    """A metric of the contract and its series, by label values in the order declared.

    `label_sets` are those of the lines that a series has on /metrics, kept from scrape to scrape.
    """

    def __init__(
        self,
        declaration: Metric,
        recording: Recording,
        values: Values,
        faults: Faults,
        on_fold: OnFold,
        clean: Clean,
    ) -> None:
        self.declaration = declaration
        self.recording = recording
        self.series: dict[tuple[str, ...], Series] = {}
        self.label_sets: dict[tuple[str, ...], tuple[Labels, ...]] = {}
        self.native: NativeCells | None = None
        if isinstance(declaration, Histogram) and declaration.native is not None:
            self.native = NativeCells(declaration.native)
        self._values = values
        self._faults = faults
        self._on_fold = on_fold
        self._clean = clean
        self._no_room: OSError | None = None
        self._names = declaration.label_names
        self._values_of = _values_of(self._names)
        self._admission = tuple(_Admission(label) for label in declaration.labels)
        self._initialise()

    def resolve(self, labels: Mapping[str, object]) -> Series:
        """Return the series of `labels`, making it if need be; surplus values fold."""
        try:
            found = self.series.get(self._values_of(labels))
            if found is not None and len(labels) == len(self._names):
                return found
        except (KeyError, TypeError):
            pass
        if labels.keys() != set(self._names):
            self._complain(labels)
        clean = self._clean
        return self._admit(tuple([clean(str(labels.get(name, OTHER))) for name in self._names]))

    @property
    def size(self) -> int:
        """How many cells a series has."""
        declaration = self.declaration
        if isinstance(declaration, Histogram):
            more = self.native.size if self.native is not None else 0
            return len(declaration.buckets) + 2 + more
        if isinstance(declaration, Counter):
            return CounterSeries.size
        return GaugeSeries.size if isinstance(declaration, Gauge) else SummarySeries.size

    def surplus(self) -> Series:
        """Return the series of what has no labels that could be taken: all are `other`."""
        return self._admit((OTHER,) * len(self._names))

    def key(self, label_values: tuple[str, ...]) -> bytes:
        """Return what names a series among the processes of the service."""
        return orjson.dumps([self.declaration.name, *label_values])

    def move(self, values: Values, *, keep: bool) -> None:
        """Give every series cells of `values`, with its numbers if `keep`, else at zero."""
        self._values = values
        for label_values, series in self.series.items():
            cells = values.allocate(self.key(label_values), len(series.cells))
            if keep:
                cells[:] = series.cells
            series.cells = cells

    def _complain(self, labels: Mapping[str, object]) -> None:
        wanted = ", ".join(self._names) or "none"
        given = ", ".join(labels) or "none"
        self._faults.note(
            "labels",
            ContractError(
                f"metric {self.declaration.name} has the labels: {wanted}; it was given: {given}"
            ),
        )

    def _admit(self, wanted: tuple[str, ...]) -> Series:
        with self.recording.lock:
            found = self.series.get(wanted)
            if found is not None:
                return found
            admitted = tuple(
                [
                    admission.admit(value)
                    for admission, value in zip(self._admission, wanted, strict=True)
                ]
            )
            if admitted not in self.series and len(self.series) >= MOST_SERIES:
                admitted = (OTHER,) * len(wanted)
            series = self.series.get(admitted) or self._make(admitted)
            no_room, self._no_room = self._no_room, None
        if no_room is not None:
            self._faults.note("process_files", no_room)
        for name, before, after in zip(self._names, wanted, admitted, strict=True):
            if before != after:
                self._on_fold(self.declaration.name, name)
        return series

    def _make(self, label_values: tuple[str, ...]) -> Series:
        declaration, recording = self.declaration, self.recording
        cells = self._allocate(label_values, self.size)
        series: Series
        if isinstance(declaration, Histogram):
            series = HistogramSeries(recording, cells, declaration.buckets, self.native)
        elif isinstance(declaration, Counter):
            series = CounterSeries(recording, cells)
        elif isinstance(declaration, Gauge):
            series = GaugeSeries(recording, cells)
        else:
            series = SummarySeries(recording, cells)
        self.series[label_values] = series
        return series

    def _allocate(self, label_values: tuple[str, ...], count: int) -> memoryview[float]:
        try:
            return self._values.allocate(self.key(label_values), count)
        except OSError as error:
            # Counted in memory, this process still answers for itself.
            self._no_room = error
            self._values = MemoryValues()
            return self._values.allocate(b"", count)

    def _initialise(self) -> None:
        labels = self.declaration.labels
        if 0 < prod(len(label.values) for label in labels) <= MOST_INITIALISED:
            for label_values in itertools.product(*[label.values for label in labels]):
                self._make(label_values)


class _Admission:
    """Decides whether a label takes a value."""

    def __init__(self, label: Label) -> None:
        self._closed = frozenset(label.values)
        self._pattern = re.compile(label.pattern) if label.pattern else None
        self._limit = label.limit
        self._taken: set[str] = set()

    def admit(self, value: str) -> str:
        if self._closed:
            return value if value in self._closed else OTHER
        if value in self._taken or value == OTHER:
            return value
        if (
            len(self._taken) >= self._limit
            or len(value) > MOST_VALUE_BYTES
            or (self._pattern is not None and not self._pattern.fullmatch(value))
        ):
            return OTHER
        self._taken.add(value)
        return value


class Registry:
    """Every family of a contract. `hidden` ones are kept, but not shown on /metrics."""

    def __init__(
        self,
        metrics: Iterable[Metric],
        values: Values,
        recording: Recording,
        faults: Faults,
        hidden: Iterable[Metric] = (),
    ) -> None:
        self.recording = recording
        self.on_fold: OnFold = lambda metric, label: None
        self.clean: Clean = str
        self._faults = faults
        self.families: dict[str, Family] = {}
        self.hidden: set[str] = set()
        for metric in metrics:
            self._add(metric, values, faults)
        for metric in hidden:
            if metric.name not in self.families:
                self.hidden.add(metric.name)
                self._add(metric, values, faults)

    def find(self, declaration: Metric) -> Family | None:
        """Return the family of that name and type, or None if the contract has none."""
        family = self.families.get(declaration.name)
        if family is None or family.declaration.type is not declaration.type:
            return None
        return family

    def detached(self, declaration: Metric) -> Family:
        """Return a family that nobody will see, for a metric that the contract does not have."""
        return Family(
            declaration,
            self.recording,
            MemoryValues(),
            self._faults,
            lambda name, label: None,
            str,
        )

    def shown(self) -> list[Family]:
        """Return the families of the contract, in its order."""
        return [family for name, family in self.families.items() if name not in self.hidden]

    def move(self, values: Values, *, keep: bool) -> None:
        """Hold all numbers in `values` from now on; `keep` them, or start from zero."""
        with self.recording.lock:
            for family in self.families.values():
                family.move(values, keep=keep)

    def _add(self, metric: Metric, values: Values, faults: Faults) -> None:
        self.families[metric.name] = Family(
            metric,
            self.recording,
            values,
            faults,
            lambda name, label: self.on_fold(name, label),
            lambda text: self.clean(text),
        )
