"""Native histograms as Prometheus' test files write them: `{{schema:0 sum:5 buckets:[1 2]}}`."""

from __future__ import annotations

import re

from watchkeeper.errors import QueryError
from watchkeeper.model import CUSTOM_BUCKETS_SCHEMA, CounterReset, NativeHistogram
from watchkeeper.promql.native_histogram import IncompatibleBucketsError, added, compacted

_PART = re.compile(r"([a-z_]+):(\[[^\]]*\]|[^\s\[\]]+)\s*")
_ITEM = re.compile(
    r"\{\{(?P<base>[^}]*)\}\}(?:(?P<sign>[+-])\{\{(?P<step>[^}]*)\}\})?(?:x(?P<times>\d+))?"
)


MOST_REPETITIONS = 1_000_000
"""How often one word may repeat a value: a slip of the finger must not fill the memory."""


def repetitions(text: str | None) -> int:
    """Return how often a value is said to come again. Raises QueryError."""
    if text is None:
        return 0
    if len(text) > 9 or int(text) > MOST_REPETITIONS:
        raise QueryError(f"a value is repeated at most {MOST_REPETITIONS} times, not {text:.20}")
    return int(text)


def parse_histogram(text: str) -> NativeHistogram:
    """Return the histogram that stands between double braces. Raises QueryError."""
    parts = dict(_PART.findall(text))
    if _PART.sub("", text).strip():
        raise QueryError(f"this is not a histogram: {text!r}")
    try:
        return _histogram(parts)
    except ValueError as error:
        raise QueryError(f"this is not a histogram: {text!r} ({error})") from None


def _histogram(parts: dict[str, str]) -> NativeHistogram:
    offset = int(parts.get("offset", 0))
    return NativeHistogram(
        schema=int(parts.get("schema", 0)),
        count=float(parts.get("count", 0)),
        sum=float(parts.get("sum", 0)),
        zero_threshold=float(parts.get("z_bucket_w", 0)),
        zero_count=float(parts.get("z_bucket", 0)),
        positive=_buckets(parts.get("buckets", "[]"), offset),
        negative=_buckets(parts.get("n_buckets", "[]"), int(parts.get("n_offset", 0))),
        custom_values=tuple(_numbers(parts.get("custom_values", "[]"))),
        reset=CounterReset(parts.get("counter_reset_hint", "unknown")),
    )


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.strip("[]").split()]


def _buckets(text: str, offset: int) -> dict[int, float]:
    return {offset + place: count for place, count in enumerate(_numbers(text)) if count != 0}


def parse_histograms(text: str) -> tuple[list[NativeHistogram], int]:
    """Return the histograms that one word of a series stands for, and how long it is."""
    match = _ITEM.match(text)
    if match is None:
        raise QueryError(f"this is not a histogram: {text!r}")
    found = [parse_histogram(match["base"])]
    step = parse_histogram(match["step"] or "")
    for _ in range(repetitions(match["times"])):
        found.append(_next(found[-1], step, match["sign"]))
    return found, match.end()


def _next(before: NativeHistogram, step: NativeHistogram, sign: str | None) -> NativeHistogram:
    if sign is None:
        return before
    if before.is_custom and step.schema != CUSTOM_BUCKETS_SCHEMA and not step.count:
        return before
    try:
        total, _ = added(before, step, -1.0 if sign == "-" else 1.0)
    except IncompatibleBucketsError:
        raise QueryError("a histogram grows by one of its own kind of buckets") from None
    return compacted(total)
