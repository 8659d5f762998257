"""What functions and aggregations take and give: a table apart from the code that runs them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ValueType(StrEnum):
    """The four kinds of values, in Prometheus' words."""

    SCALAR = "scalar"
    STRING = "string"
    VECTOR = "instant vector"
    MATRIX = "range vector"


SCALAR, STRING, VECTOR, MATRIX = ValueType


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's arguments and result.

    The last `optional` arguments may be missing; with `repeats` the last may also come again,
    up to `repeats` more times (-1: without limit).
    """

    name: str
    arguments: tuple[ValueType, ...]
    result: ValueType
    optional: int = 0
    repeats: int = 0
    experimental: bool = False

    @property
    def least(self) -> int:
        """The smallest number of arguments."""
        return len(self.arguments) - self.optional

    @property
    def most(self) -> int | None:
        """The largest number of arguments; None is any."""
        return None if self.repeats < 0 else len(self.arguments) + self.repeats


def _table() -> dict[str, Signature]:
    vector_to_vector = (
        "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg "
        "histogram_count histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad sgn "
        "sin sinh sort sort_desc sqrt tan tanh timestamp"
    )
    matrix_to_vector = (
        "absent_over_time avg_over_time changes count_over_time delta deriv idelta increase "
        "irate last_over_time max_over_time min_over_time present_over_time rate resets "
        "stddev_over_time stdvar_over_time sum_over_time"
    )
    new_matrix_to_vector = (
        "first_over_time mad_over_time ts_of_first_over_time ts_of_last_over_time "
        "ts_of_max_over_time ts_of_min_over_time"
    )
    calendar = "day_of_month day_of_week day_of_year days_in_month hour minute month year"
    rows = [Signature(name, (VECTOR,), VECTOR) for name in vector_to_vector.split()]
    rows += [Signature(name, (MATRIX,), VECTOR) for name in matrix_to_vector.split()]
    rows += [
        Signature(name, (MATRIX,), VECTOR, experimental=True)
        for name in new_matrix_to_vector.split()
    ]
    rows += [Signature(name, (VECTOR,), VECTOR, optional=1) for name in calendar.split()]
    rows += [Signature(name, (), SCALAR) for name in ("pi", "time")]
    rows += [
        Signature(name, (), SCALAR, experimental=True) for name in ("start", "end", "step", "range")
    ]
    rows += [
        Signature("start_timestamp", (VECTOR,), VECTOR, experimental=True),
        Signature("clamp", (VECTOR, SCALAR, SCALAR), VECTOR),
        Signature("clamp_max", (VECTOR, SCALAR), VECTOR),
        Signature("clamp_min", (VECTOR, SCALAR), VECTOR),
        Signature("histogram_fraction", (SCALAR, SCALAR, VECTOR), VECTOR),
        Signature("histogram_quantile", (SCALAR, VECTOR), VECTOR),
        Signature(
            "histogram_quantiles",
            (VECTOR, STRING, SCALAR),
            VECTOR,
            repeats=9,
            experimental=True,
        ),
        Signature(
            "double_exponential_smoothing", (MATRIX, SCALAR, SCALAR), VECTOR, experimental=True
        ),
        Signature("info", (VECTOR, VECTOR), VECTOR, optional=1, experimental=True),
        Signature("label_join", (VECTOR, STRING, STRING, STRING), VECTOR, optional=1, repeats=-1),
        Signature("label_replace", (VECTOR, STRING, STRING, STRING, STRING), VECTOR),
        Signature("max_of", (SCALAR, SCALAR), SCALAR, experimental=True),
        Signature("min_of", (SCALAR, SCALAR), SCALAR, experimental=True),
        Signature("predict_linear", (MATRIX, SCALAR), VECTOR),
        Signature("quantile_over_time", (SCALAR, MATRIX), VECTOR),
        Signature("round", (VECTOR, SCALAR), VECTOR, optional=1),
        Signature("scalar", (VECTOR,), SCALAR),
        Signature(
            "sort_by_label", (VECTOR, STRING), VECTOR, optional=1, repeats=-1, experimental=True
        ),
        Signature(
            "sort_by_label_desc",
            (VECTOR, STRING),
            VECTOR,
            optional=1,
            repeats=-1,
            experimental=True,
        ),
        Signature("vector", (SCALAR,), VECTOR),
    ]
    return {row.name: row for row in rows}


FUNCTIONS: dict[str, Signature] = _table()

AGGREGATIONS: dict[str, ValueType | None] = {
    "avg": None,
    "bottomk": SCALAR,
    "count": None,
    "count_values": STRING,
    "group": None,
    "limit_ratio": SCALAR,
    "limitk": SCALAR,
    "max": None,
    "min": None,
    "quantile": SCALAR,
    "stddev": None,
    "stdvar": None,
    "sum": None,
    "topk": SCALAR,
}
"""The type of each aggregation's parameter, None where it takes none."""

EXPERIMENTAL_AGGREGATIONS = frozenset({"limit_ratio", "limitk"})

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
SET_OPERATORS = frozenset({"and", "or", "unless"})
TRIMS = frozenset({"</", ">/"})

PRECEDENCE: dict[str, int] = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(COMPARISONS, 3),
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
    "atan2": 5,
    "</": 5,
    ">/": 5,
    "^": 6,
}
"""How tightly binary operators bind; `^` alone groups to the right."""

UNARY_PRECEDENCE = 5
