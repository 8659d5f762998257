"""What a duration comes to, once the query's step and range are known."""

from __future__ import annotations

import math

from watchkeeper.errors import QueryError
from watchkeeper.promql.grid import Grid
from watchkeeper.promql.syntax import (
    Duration,
    DurationBinary,
    DurationCall,
    DurationLiteral,
    DurationParens,
    DurationUnary,
)

_LONGEST_SECONDS = 2**63 / 1e9


def duration_ms(duration: Duration, grid: Grid, *, positive: bool = False) -> int:
    """Return the milliseconds of a duration; `positive` refuses zero and less.

    `grid` is that of the whole query: `step()` and `range()` speak of it. Raises QueryError.
    """
    seconds = _seconds(duration, grid)
    if not math.isfinite(seconds) or abs(seconds) > _LONGEST_SECONDS:
        raise QueryError("duration out of range")
    if positive and seconds <= 0:
        raise QueryError("duration must be greater than 0")
    return round(seconds * 1000)


def _seconds(duration: Duration, grid: Grid) -> float:
    match duration:
        case DurationLiteral(seconds=seconds):
            return seconds
        case DurationParens(inner=inner):
            return _seconds(inner, grid)
        case DurationUnary(operator=operator, operand=operand):
            return -_seconds(operand, grid) if operator == "-" else _seconds(operand, grid)
        case DurationCall(name=name, arguments=arguments):
            return _call(name, [_seconds(argument, grid) for argument in arguments], grid)
        case DurationBinary(operator=operator, left=left, right=right):
            return _arithmetic(operator, _seconds(left, grid), _seconds(right, grid))


def _call(name: str, arguments: list[float], grid: Grid) -> float:
    match name:
        case "step":
            return grid.step_ms / 1000
        case "range":
            return (grid.end_ms - grid.start_ms) / 1000
        case "min_of":
            return min(arguments)
    return max(arguments)


def _arithmetic(operator: str, left: float, right: float) -> float:
    try:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / right
            case "%":
                return math.fmod(left, right)
        return math.pow(left, right)
    except ZeroDivisionError:
        raise QueryError("division by zero in a duration") from None
    except (ValueError, OverflowError):
        raise QueryError("duration out of range") from None
