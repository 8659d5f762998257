"""PromQL: text and arrays in, arrays out."""

from watchkeeper.promql.checker import NO_MATCHER
from watchkeeper.promql.encode import encode, encode_pieces
from watchkeeper.promql.engine import Engine
from watchkeeper.promql.experimental import FEATURE
from watchkeeper.promql.layout import pretty
from watchkeeper.promql.limits import QueryLimits
from watchkeeper.promql.literals import format_duration_ms, parse_duration_ms
from watchkeeper.promql.parser import parse
from watchkeeper.promql.printer import format
from watchkeeper.promql.result import Result, ResultType
from watchkeeper.promql.syntax import Expression, VectorSelector
from watchkeeper.promql.tree_json import tree_json
from watchkeeper.promql.walk import map_durations, selectors

__all__ = [
    "FEATURE",
    "NO_MATCHER",
    "Engine",
    "Expression",
    "QueryLimits",
    "Result",
    "ResultType",
    "VectorSelector",
    "encode",
    "encode_pieces",
    "format",
    "format_duration_ms",
    "map_durations",
    "parse",
    "parse_duration_ms",
    "pretty",
    "selectors",
    "tree_json",
]
