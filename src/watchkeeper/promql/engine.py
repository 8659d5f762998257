"""The engine: a query in, a result out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import QueryError, QueryLimitError
from watchkeeper.ports import SeriesSource, VectorSample
from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.checker import type_of
from watchkeeper.promql.evaluation import Evaluation
from watchkeeper.promql.experimental import refuse_experimental
from watchkeeper.promql.grid import Grid
from watchkeeper.promql.limits import Budget, QueryLimits
from watchkeeper.promql.merging import drop_names
from watchkeeper.promql.parser import parse
from watchkeeper.promql.repetition import repeated_parts
from watchkeeper.promql.result import Result, ResultType, no_series
from watchkeeper.promql.selection import Selection
from watchkeeper.promql.signatures import SCALAR, VECTOR
from watchkeeper.promql.syntax import Expression
from watchkeeper.promql.values import Scalars, Text, Vectors
from watchkeeper.promql.windows import Value, Windows

Cancelled = Callable[[], bool]
"""Asked now and then while a query runs; True stops it."""


class Engine:
    """Answers queries from a source of series. Safe to use from several threads."""

    def __init__(
        self,
        source: SeriesSource,
        *,
        limits: QueryLimits | None = None,
        lookback_ms: int = 300_000,
        clock: Clock | None = None,
    ) -> None:
        self._source = source
        self._limits = limits or QueryLimits()
        self._lookback_ms = lookback_ms
        self._clock = clock or SystemClock()

    def instant(
        self,
        query: str | Expression,
        timestamp_ms: int,
        *,
        lookback_ms: int | None = None,
        cancelled: Cancelled | None = None,
    ) -> Result:
        """Return the value of a query at one moment; `lookback_ms` is the engine's by default.

        Raises QuerySyntaxError, QueryLimitError, QueryError.
        """
        return self._run(query, Grid(timestamp_ms, 0, 1), lookback_ms, cancelled)

    def range(
        self,
        query: str | Expression,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        *,
        lookback_ms: int | None = None,
        cancelled: Cancelled | None = None,
    ) -> Result:
        """Return a matrix: the query at `start_ms`, every `step_ms` after it, up to `end_ms`.

        Raises QuerySyntaxError, QueryLimitError, QueryError.
        """
        if step_ms <= 0:
            raise QueryError("the step of a range query must be greater than 0")
        if end_ms < start_ms:
            raise QueryError("the end of a range query must not be before its start")
        grid = Grid(start_ms, step_ms, (end_ms - start_ms) // step_ms + 1)
        result = self._run(query, grid, lookback_ms, cancelled)
        if result.type is ResultType.STRING:
            raise QueryError(
                'invalid expression type "string" for range query, must be Scalar or instant Vector'
            )
        return (
            result if result.type is ResultType.MATRIX else replace(result, type=ResultType.MATRIX)
        )

    def vector(self, expression: str, timestamp_ms: int) -> list[VectorSample]:
        """Return an instant vector; a scalar is one element without labels."""
        result = self.instant(expression, timestamp_ms)
        if result.type not in (ResultType.VECTOR, ResultType.SCALAR):
            raise QueryError(f"a rule needs a vector or a scalar, this query is a {result.type}")
        values = result.values[:, 0].tolist()
        if result.histograms is None:
            return list(map(VectorSample, result.labels, values))
        native = result.histograms[:, 0].tolist()
        return [
            VectorSample(labels, 0.0 if one is not None else value, one)
            for labels, value, one in zip(result.labels, values, native, strict=True)
        ]

    def _run(
        self,
        query: str | Expression,
        grid: Grid,
        lookback_ms: int | None,
        cancelled: Cancelled | None,
    ) -> Result:
        text = query if isinstance(query, str) else ""
        expression = parse(query) if isinstance(query, str) else query
        if not self._limits.experimental_functions:
            refuse_experimental(expression, text)
        if grid.step_ms and type_of(expression) not in (SCALAR, VECTOR):
            raise QueryError(
                f'invalid expression type "{type_of(expression)}" for range query, '
                "must be Scalar or instant Vector"
            )
        budget = Budget(self._limits, self._clock, cancelled)
        budget.check_steps(grid.count)
        annotations = Annotations(text)
        lookback_ms = self._lookback_ms if lookback_ms is None else lookback_ms
        selection = Selection(self._source, budget)
        try:
            evaluation = Evaluation(
                selection, budget, annotations, grid, lookback_ms, repeated_parts(expression)
            )
            with np.errstate(all="ignore"):  # infinities and NaN are values like any other
                result = _result(evaluation.evaluate(expression, grid), grid)
        except RecursionError:
            raise QueryLimitError(
                "the query chains too many operators to be evaluated; split it with recording rules"
            ) from None
        except OverflowError:
            raise QueryError("a moment or a duration of the query is out of range") from None
        return replace(
            result,
            warnings=annotations.warnings,
            infos=annotations.infos,
            samples_touched=budget.samples,
        )


def _result(value: Value, grid: Grid) -> Result:
    kind = ResultType.MATRIX if grid.step_ms else ResultType.VECTOR
    match value:
        case Text(value=text):
            return no_series(ResultType.STRING, grid.times_ms, text)
        case Scalars(values=values):
            kind = ResultType.MATRIX if grid.step_ms else ResultType.SCALAR
            present = np.ones((1, grid.count), dtype=np.bool_)
            return Result(kind, [()], grid.times_ms, values[None, :], present)
        case Windows():
            return _samples(value)
        case Vectors():
            vector = drop_names(value)
            if not (vector.ordered and kind is ResultType.VECTOR) and len(vector.labels) > 1:
                places = range(len(vector.labels))
                order = sorted(places, key=vector.labels.__getitem__)
                if order != list(places):
                    vector = vector.take(np.array(order, dtype=np.int64))
            return Result(
                kind,
                vector.labels,
                grid.times_ms,
                vector.values,
                vector.present,
                histograms=vector.histograms,
            )


def _samples(windows: Windows) -> Result:
    """Return the samples of a range vector at one moment, by series, over all their times."""
    counts = windows.counts[:, 0]
    positions = np.concatenate(
        [np.zeros(0, dtype=np.int64)]
        + [
            np.arange(first, first + count)
            for first, count in zip(windows.first[:, 0].tolist(), counts.tolist(), strict=True)
        ]
    )
    rows = np.repeat(np.arange(len(counts)), counts)
    times = np.unique(windows.times_ms[positions])
    values = np.zeros((len(counts), len(times)))
    present = np.zeros(values.shape, dtype=np.bool_)
    at = np.searchsorted(times, windows.times_ms[positions])
    values[rows, at], present[rows, at] = windows.values[positions], True
    histograms = None
    if windows.histograms is not None:
        histograms = np.full(values.shape, None)
        histograms[rows, at] = windows.histograms[positions]
    kept = Vectors(windows.labels, values, present, windows.drops_name, histograms=histograms)
    vector = drop_names(kept)
    return Result(
        ResultType.MATRIX,
        vector.labels,
        times,
        vector.values,
        vector.present,
        histograms=vector.histograms,
    )
