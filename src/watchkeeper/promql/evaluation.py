"""One query being evaluated: every node over all steps at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.promql import operators
from watchkeeper.promql.aggregate_evaluation import evaluate_aggregate
from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.call_evaluation import evaluate_call
from watchkeeper.promql.durations import duration_ms
from watchkeeper.promql.extended_windows import (
    anchored_windows,
    smoothed_instant,
    smoothed_windows,
)
from watchkeeper.promql.grid import Floats, Grid
from watchkeeper.promql.invariance import same_at_every_step
from watchkeeper.promql.limits import Budget
from watchkeeper.promql.native_operators import negated, patch
from watchkeeper.promql.selection import Selection, samples_of, windows_of, without_stale
from watchkeeper.promql.signatures import SET_OPERATORS
from watchkeeper.promql.syntax import (
    Aggregate,
    At,
    Binary,
    Call,
    Duration,
    Expression,
    MatrixSelector,
    Number,
    Parens,
    String,
    Subquery,
    Unary,
    VectorSelector,
    Window,
)
from watchkeeper.promql.values import Scalars, Text, Vectors
from watchkeeper.promql.vector_matching import combine, set_operation
from watchkeeper.promql.walk import chain
from watchkeeper.promql.windows import Value, Windows

DEFAULT_SUBQUERY_STEP_MS = 60_000
"""The step of a subquery that names none (Prometheus' default evaluation interval)."""


class Evaluation:
    """Evaluates the nodes of one query; `query_grid` stays that of the whole query inside
    subqueries, for `@ start()`, `step()` and their like. `repeated` are the query's
    `repeated_parts`."""

    def __init__(
        self,
        selection: Selection,
        budget: Budget,
        annotations: Annotations,
        query_grid: Grid,
        lookback_ms: int,
        repeated: Mapping[int, int],
    ) -> None:
        self.selection = selection
        self.budget = budget
        self.annotations = annotations
        self.query_grid = query_grid
        self.lookback_ms = lookback_ms
        self._repeated = repeated
        self._remembered: dict[tuple[int, Grid], Value] = {}
        self.is_range = query_grid.count > 1 or query_grid.step_ms > 0

    def with_resets(self) -> Evaluation:
        """Return the same evaluation, its histograms saying where they began again."""
        return Evaluation(
            self.selection.with_resets(),
            self.budget,
            self.annotations,
            self.query_grid,
            self.lookback_ms,
            self._repeated,
        )

    def evaluate(self, node: Expression, grid: Grid) -> Value:
        """Return the value of a node at every moment of `grid`; of equal nodes it is found once.

        What somebody is to be told about is found again: it names the place.
        """
        number = self._repeated.get(id(node))
        if number is None:
            return self._found(node, grid)
        key = (number, grid)
        if key not in self._remembered:
            told = len(self.annotations)
            value = self._found(node, grid)
            if len(self.annotations) > told:
                return value
            self._remembered[key] = value
        return self._remembered[key]

    def _found(self, node: Expression, grid: Grid) -> Value:
        self.budget.check_time()
        if grid.count > 1 and same_at_every_step(node) and not _is_matrix(node):
            value = self._evaluate(node, grid.first)
            if isinstance(value, Vectors):
                self.budget.spend_samples(len(value.labels) * grid.count)
            return _repeated(value, grid.count)
        return self._evaluate(node, grid)

    def _evaluate(self, node: Expression, grid: Grid) -> Value:  # noqa: C901  one arm a node
        match node:
            case Number(value=value):
                return Scalars(np.full(grid.count, value))
            case String(value=text):
                return Text(text)
            case VectorSelector():
                return self._selector(node, grid)
            case MatrixSelector():
                return self._matrix(node, grid)
            case Subquery():
                return self._subquery(node, grid)
            case Parens(expression=inner):
                return self.evaluate(inner, grid)
            case Unary():
                return self._unary(node, grid)
            case Binary():
                return self._binary(node, grid)
            case Call():
                return evaluate_call(self, node, grid)
            case Aggregate():
                return evaluate_aggregate(self, node, grid)

    def vector(self, node: Expression, grid: Grid) -> Vectors:
        """Return the floats of an expression that must be an instant vector."""
        return self.mixed(node, grid).floats().compact()

    def mixed(self, node: Expression, grid: Grid) -> Vectors:
        """Return an instant vector, its native histograms too; series that are present only."""
        value = self.evaluate(node, grid)
        if not isinstance(value, Vectors):
            raise QueryError(f"expected an instant vector, got {type(value).__name__}")
        return value.compact()

    def scalar(self, node: Expression, grid: Grid) -> Floats:
        """Return an expression that must be a scalar, one value a moment."""
        value = self.evaluate(node, grid)
        if not isinstance(value, Scalars):
            raise QueryError(f"expected a scalar, got {type(value).__name__}")
        return value.values

    def windows(self, node: Expression, grid: Grid) -> Windows:
        """Return the floats of an expression that must be a range vector."""
        return self.mixed_windows(node, grid).only(histograms=False)

    def mixed_windows(self, node: Expression, grid: Grid) -> Windows:
        """Return an expression that must be a range vector, its native histograms too."""
        value = self.evaluate(node, grid)
        if not isinstance(value, Windows):
            raise QueryError(f"expected a range vector, got {type(value).__name__}")
        return value

    def text(self, node: Expression) -> str:
        """Return an expression that must be a string."""
        value = self.evaluate(node, self.query_grid.first)
        if not isinstance(value, Text):
            raise QueryError(f"expected a string, got {type(value).__name__}")
        return value.value

    def moments_of(self, at: At | None, offset: Duration | None, grid: Grid) -> Grid:
        """Return when a selector looks, for each moment of `grid`."""
        moved = 0 if offset is None else duration_ms(offset, self.query_grid)
        if at is None:
            return grid.moved(moved)
        if at.bound:
            whole = self.query_grid
            return grid.fixed((whole.start_ms if at.bound == "start" else whole.end_ms) - moved)
        return grid.fixed(round(at.seconds * 1000) - moved)

    def _selector(self, node: VectorSelector, grid: Grid) -> Vectors:
        looked = self.moments_of(node.at, node.offset, grid)
        if node.window is Window.SMOOTHED:
            return smoothed_instant(
                self.selection, node, looked, self.lookback_ms, self.annotations
            )
        if node.window:
            raise QueryError("anchored modifier can only be used with a range")
        return self.selection.instant(node, looked, self.lookback_ms)

    def _matrix(self, node: MatrixSelector, grid: Grid) -> Windows:
        looked = self.moments_of(node.vector.at, node.vector.offset, grid)
        length = duration_ms(node.range, self.query_grid, positive=True)
        if node.vector.window is Window.ANCHORED:
            return anchored_windows(self.selection, node.vector, looked, length, self.lookback_ms)
        if node.vector.window is Window.SMOOTHED:
            return smoothed_windows(self.selection, node.vector, looked, length, self.lookback_ms)
        return self.selection.windows(node.vector, looked, length)

    def _subquery(self, node: Subquery, grid: Grid) -> Windows:
        ends = self.moments_of(node.at, node.offset, grid)
        length = duration_ms(node.range, self.query_grid, positive=True)
        step = (
            DEFAULT_SUBQUERY_STEP_MS
            if node.step is None
            else duration_ms(node.step, self.query_grid, positive=True)
        )
        begin = ends.start_ms - length
        first = (begin // step + 1) * step
        inner = Grid(first, step, max(0, (ends.end_ms - first) // step + 1))
        self.budget.spend_samples(inner.count)
        value = self.evaluate(node.expression, inner)
        if isinstance(value, Scalars):
            raise QueryError("a subquery takes an instant vector")
        vector = value.compact() if isinstance(value, Vectors) else self.vector(node, grid)
        self.budget.spend_samples(vector.values.size)
        windows = windows_of(without_stale(samples_of(vector, inner)), ends, length)
        return replace(windows, drops_name=vector.drops_name, tick=self.budget.check_time)

    def _unary(self, node: Unary, grid: Grid) -> Value:
        value = self.evaluate(node.operand, grid)
        if node.operator == "+":
            return value
        if isinstance(value, Vectors):
            return negated(value)
        return Scalars(-self.scalar(node.operand, grid))

    def _binary(self, node: Binary, grid: Grid) -> Value:
        first, operators = chain(node)
        value = self.evaluate(first, grid)
        for one in operators:
            self.budget.check_time()
            value = self._combined(one, value, self.evaluate(one.right, grid))
        return value

    def _combined(self, node: Binary, left: Value, right: Value) -> Value:
        match left, right:
            case Vectors(), Vectors():
                left, right = left.compact(), right.compact()
                if node.operator in SET_OPERATORS:
                    return set_operation(node, left, right)
                return combine(node, left, right, self.annotations, self.budget)
            case Vectors(), Scalars():
                return self._with_scalar(node, left, right, swapped=False)
            case Scalars(), Vectors():
                return self._with_scalar(node, right, left, swapped=True)
            case Scalars(), Scalars():
                return Scalars(
                    operators.apply(node.operator, left.values, right.values, as_bool=True)[0]
                )
        raise QueryError(f"operator {node.operator} cannot take a string or a range vector")

    def _with_scalar(
        self, node: Binary, vector: Vectors, scalar: Scalars, *, swapped: bool
    ) -> Vectors:
        numbers = np.broadcast_to(scalar.values[None, :], vector.values.shape)
        sides = (numbers, vector.values)
        left, right = sides if swapped else sides[::-1]
        values, holds = operators.apply(node.operator, left, right, as_bool=node.returns_bool)
        present = vector.present & holds
        filters = node.operator not in operators.ARITHMETIC and not node.returns_bool
        result = (
            replace(vector, present=present, histograms=None)
            if filters
            else vector.without_name(values, present)
        )
        if vector.histograms is None:
            return result
        number = replace(vector, values=numbers, histograms=None)
        one, other = (number, vector) if swapped else (vector, number)
        return patch(node, result, one, other, self.annotations)


def _is_matrix(node: Expression) -> bool:
    if isinstance(node, Parens):
        return _is_matrix(node.expression)
    return isinstance(node, MatrixSelector | Subquery)


def _repeated(value: Value, moments: int) -> Value:
    match value:
        case Scalars(values=values):
            return Scalars(np.repeat(values, moments))
        case Vectors():
            return replace(
                value,
                values=np.repeat(value.values, moments, axis=1),
                present=np.repeat(value.present, moments, axis=1),
                histograms=(
                    None
                    if value.histograms is None
                    else np.repeat(value.histograms, moments, axis=1)
                ),
            )
    return value
