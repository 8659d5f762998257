"""A tree back into text: on one line, or laid out for reading."""

from __future__ import annotations

import re

from watchkeeper.model import Matcher
from watchkeeper.promql.literals import format_duration_ms, format_number, quote
from watchkeeper.promql.syntax import (
    Aggregate,
    At,
    Binary,
    Call,
    Duration,
    DurationBinary,
    DurationCall,
    DurationLiteral,
    DurationParens,
    DurationUnary,
    Expression,
    Matching,
    MatrixSelector,
    Number,
    Parens,
    String,
    Subquery,
    Unary,
    VectorSelector,
)
from watchkeeper.promql.walk import chain, children

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_NOT_BARE = frozenset(
    {"bool", "on", "ignoring", "group_left", "group_right", "atan2", "inf", "nan"}
    | {"and", "or", "unless", "offset", "by", "without", "anchored", "smoothed", "start", "end"}
)


def format(expression: Expression) -> str:  # noqa: C901  one arm a node
    """Return the query on one line; parsing it gives an equal tree."""
    match expression:
        case Number(value=value):
            return format_number(value)
        case String(value=value):
            return quote(value)
        case VectorSelector():
            return _selector(expression) + _modifiers(expression)
        case MatrixSelector(vector=vector, range=length):
            return f"{_selector(vector)}[{format_duration(length)}]{_modifiers(vector)}"
        case Subquery():
            return format(expression.expression) + subquery_suffix(expression)
        case Parens(expression=inner):
            return f"({format(inner)})"
        case Unary(operator=operator, operand=operand):
            return f"{operator}{format(operand)}"
        case Binary():
            first, operators = chain(expression)
            rest = (f"{binary_operator(one)} {format(one.right)}" for one in operators)
            begin = format(first)
            if operators[0].operator == "^":  # a sign before a power belongs to the power
                begin = begin.removeprefix("+")
            return " ".join([begin, *rest])
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(format(argument) for argument in arguments)})"
        case Aggregate():
            inside = [format(one) for one in children(expression)]
            return f"{aggregate_head(expression)}({', '.join(inside)})"


def format_duration(duration: Duration) -> str:
    """Return a duration as brackets hold it."""
    match duration:
        case DurationLiteral(seconds=seconds, unit=unit):
            milliseconds = round(seconds * 1000)
            exact = milliseconds / 1000 == seconds
            return format_duration_ms(milliseconds) if unit and exact else format_number(seconds)
        case DurationCall(name=name, arguments=arguments):
            return f"{name}({', '.join(format_duration(argument) for argument in arguments)})"
        case DurationUnary(operator=operator, operand=operand):
            return operator + format_duration(operand)
        case DurationBinary(operator=operator, left=left, right=right):
            return f"{format_duration(left)} {operator} {format_duration(right)}"
        case DurationParens(inner=inner):
            return f"({format_duration(inner)})"


def subquery_suffix(subquery: Subquery) -> str:
    """Return a subquery's brackets and modifiers."""
    step = format_duration(subquery.step) if subquery.step is not None else ""
    return f"[{format_duration(subquery.range)}:{step}]{_modifiers(subquery)}"


def binary_operator(node: Binary) -> str:
    """Return an operator with its modifiers."""
    words = [node.operator]
    if node.returns_bool:
        words.append("bool")
    return " ".join(words + _matching(node.matching))


def _matching(matching: Matching) -> list[str]:
    words = []
    if matching.on or matching.labels or matching.group:
        words.append(f"{'on' if matching.on else 'ignoring'} ({_names(matching.labels)})")
    if matching.group:
        included = f" ({_names(matching.include)})" if matching.include else " ()"
        words.append(f"group_{matching.group}{included}")
    for side, value in (("left", matching.fill_left), ("right", matching.fill_right)):
        if value is not None:
            words.append(f"fill_{side} ({format_number(value)})")
    return words


def aggregate_head(node: Aggregate) -> str:
    """Return an aggregation's operator and grouping."""
    if node.without:
        return f"{node.operator} without ({_names(node.grouping)}) "
    return f"{node.operator} by ({_names(node.grouping)}) " if node.grouping else node.operator


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(_label(name) for name in names)


def _label(name: str) -> str:
    return name if _LABEL.fullmatch(name) else quote(name)


def _selector(node: VectorSelector) -> str:
    inside = [_matcher(matcher) for matcher in node.matchers]
    bare = _METRIC.fullmatch(node.name) and node.name.lower() not in _NOT_BARE
    if node.name and not bare:
        return f"{{{', '.join([quote(node.name), *inside])}}}"
    return node.name + (f"{{{', '.join(inside)}}}" if inside or not node.name else "")


def _matcher(matcher: Matcher) -> str:
    return f"{_label(matcher.name)}{matcher.operator}{quote(matcher.value)}"


def _modifiers(node: VectorSelector | Subquery) -> str:
    text = ""
    if isinstance(node, VectorSelector) and node.window:
        text += f" {node.window}"
    if node.at is not None:
        text += f" @ {_at(node.at)}"
    if node.offset is not None:
        text += f" offset {format_duration(node.offset)}"
    return text


def _at(at: At) -> str:
    return f"{at.bound}()" if at.bound else format_number(at.seconds)
