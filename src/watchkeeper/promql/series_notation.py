"""Series as Prometheus' test files write them: `up{job="a"} 1+2x3 _ stale`."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from watchkeeper.errors import QueryError
from watchkeeper.model import (
    METRIC_NAME,
    STALE_BITS,
    Labels,
    MatchOperator,
    NativeHistogram,
    labels,
)
from watchkeeper.promql.duration_parser import TokenReader
from watchkeeper.promql.lexer import Kind
from watchkeeper.promql.modifier_parser import ModifierParser
from watchkeeper.promql.native_notation import parse_histograms, repetitions

STALE: float = struct.unpack(">d", STALE_BITS.to_bytes(8, "big"))[0]
"""The stale marker as a float; only its bits tell it from other NaNs."""

_NUMBER = r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|nan)"
_VALUE = re.compile(
    rf"(?P<blank>_)(?:x(?P<blanks>\d+))?\Z|(?P<stale>stale)(?:x(?P<stales>\d+))?\Z"
    rf"|(?P<base>{_NUMBER})(?:(?P<step>[+-](?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?))?"
    r"(?:x(?P<times>\d+))?\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SeriesDescription:
    """A label set and its values, one a step; None is a step without a sample."""

    labels: Labels
    values: tuple[float | NativeHistogram | None, ...]


def parse_series(text: str) -> SeriesDescription:
    """Return the series of one line. Raises QueryError."""
    metric, rest = split_metric(text)
    values: list[float | NativeHistogram | None] = []
    while rest := rest.lstrip():
        if rest.startswith("{{"):
            histograms, length = parse_histograms(rest)
            values.extend(histograms)
            rest = rest[length:]
        else:
            word, *more = rest.split(maxsplit=1)
            values.extend(_values(word))
            rest = more[0] if more else ""
    return SeriesDescription(metric, tuple(values))


def split_metric(text: str) -> tuple[Labels, str]:
    """Return the label set that a line begins with and the rest of the line."""
    return _MetricReader(text).metric()


class _MetricReader(ModifierParser):
    def __init__(self, text: str) -> None:
        end = _end_of_metric(text)
        self._rest = text[end:]
        TokenReader.__init__(self, text[:end])

    def metric(self) -> tuple[Labels, str]:
        pairs: dict[str, str] = {}
        if self.peek().kind is Kind.NAME:
            pairs[METRIC_NAME] = self.take().text
        if self.at("{"):
            self.take()
            quoted, matchers = self.matchers(named=METRIC_NAME in pairs)
            self.expect("}")
            if quoted:
                pairs[METRIC_NAME] = quoted
            for matcher in matchers:
                if matcher.operator is not MatchOperator.EQUAL:
                    raise QueryError(f"a series takes labels with `=`, not `{matcher.operator}`")
                pairs[matcher.name] = matcher.value
        return labels(pairs), self._rest


def _end_of_metric(text: str) -> int:
    match = re.match(
        r"""\s*[^\s{"']*(?:\s*\{(?!\{)(?:[^"'`{}]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*\})?""",
        text,
    )
    if match is None:
        raise QueryError(f"this is not a series: {text!r}")
    return match.end()


def _values(word: str) -> list[float | None]:
    match = _VALUE.match(word)
    if match is None:
        raise QueryError(f"this is not a series value: {word!r}")
    if match["blank"]:
        return [None] * (repetitions(match["blanks"]) if match["blanks"] else 1)
    if match["stale"]:
        return [STALE] * (repetitions(match["stales"]) + 1)
    base, step = float(match["base"]), float(match["step"] or 0)
    found: list[float | None] = []
    for _ in range(repetitions(match["times"]) + 1):
        found.append(base)
        base += step
    return found
