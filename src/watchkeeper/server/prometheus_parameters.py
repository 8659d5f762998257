"""The parameters of Prometheus' HTTP API, with the very texts that it refuses them with.

Source: prometheus/prometheus, web/api/v1/api.go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response

from watchkeeper.clock import Clock
from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import Matcher
from watchkeeper.promql import NO_MATCHER, Expression, VectorSelector, parse
from watchkeeper.server.answers import Failure, Refusal
from watchkeeper.server.arguments import Arguments, duration_ns, timestamp_ns

FURTHEST_MS = 9_223_372_036_000
MOST_POINTS = 11_000
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")

_TYPE_BY_CODE = {
    "bad_data": "bad_data",
    "bad_query": "bad_data",
    "bad_form": "bad_data",
    "too_large": "bad_data",
    "not_found": "not_found",
    "timeout": "timeout",
    "overload": "unavailable",
    "unanswerable": "execution",
    "too_expensive": "execution",
}


def data_answer(data: Any, *, warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> Response:
    """Return data in the envelope. Bytes are taken as JSON already."""
    rendered = data if isinstance(data, bytes) else orjson.dumps(data)
    body = b'{"status":"success","data":%b%b}' % (rendered, notes(warnings, infos))
    return Response(body, media_type="application/json")


def notes(warnings: Sequence[str], infos: Sequence[str]) -> bytes:
    """Return what goes into the envelope behind the data, each with a comma before it."""
    return b"".join(
        b',"%b":%b' % (name, orjson.dumps(list(texts)))
        for name, texts in ((b"warnings", warnings), (b"infos", infos))
        if texts
    )


def error_answer(failure: Failure) -> Response:
    """Return a failure as Prometheus words it."""
    kind = _TYPE_BY_CODE.get(failure.code, "internal" if failure.status >= 500 else "bad_data")
    content = {"status": "error", "errorType": kind, "error": failure.message}
    return Response(orjson.dumps(content), failure.status, failure.headers, "application/json")


def refuse(name: str, reason: str) -> Refusal:
    """Return the refusal of one parameter."""
    return Refusal(400, "bad_data", f'invalid parameter "{name}": {reason}')


def time_ms(given: Arguments, name: str, default_ms: int | None = None) -> int:
    """Return a time parameter in milliseconds."""
    text = given.first(name)
    if not text and default_ms is not None:
        return default_ms
    try:
        return timestamp_ns(text) // 1_000_000
    except (ValueError, OverflowError):
        raise refuse(name, f'cannot parse "{text}" to a valid timestamp') from None


def duration_ms(given: Arguments, name: str) -> int:
    """Return a duration parameter in milliseconds."""
    text = given.first(name)
    try:
        return duration_ns(text) // 1_000_000
    except (ValueError, OverflowError):
        raise refuse(name, f'cannot parse "{text}" to a valid duration') from None


def range_ms(given: Arguments) -> tuple[int, int]:
    """Return `start` and `end`, by default all of time, as metadata endpoints take them."""
    start_ms = time_ms(given, "start", 0)
    end_ms = time_ms(given, "end", FURTHEST_MS)
    if end_ms < start_ms:
        raise refuse("end", "end timestamp must not be before start time")
    return start_ms, end_ms


def step_range_ms(given: Arguments) -> tuple[int, int, int]:
    """Return `start`, `end` and `step` of a range query."""
    start_ms, end_ms = time_ms(given, "start"), time_ms(given, "end")
    if end_ms < start_ms:
        raise refuse("end", "end timestamp must not be before start time")
    step_ms = duration_ms(given, "step")
    if step_ms <= 0:
        raise refuse(
            "step",
            "zero or negative query resolution step widths are not accepted. "
            "Try a positive integer",
        )
    if (end_ms - start_ms) // step_ms > MOST_POINTS:
        raise Refusal(
            400,
            "bad_data",
            "exceeded maximum resolution of 11,000 points per timeseries. "
            "Try decreasing the query resolution (?step=XX)",
        )
    return start_ms, end_ms, step_ms


def limit_of(given: Arguments) -> int:
    """Return `limit`; 0 is none."""
    text = given.first("limit")
    if not text:
        return 0
    if not _INTEGER.fullmatch(text):
        raise refuse("limit", f'strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise refuse("limit", "limit must be non-negative")
    return int(text)


def count_of(given: Arguments, name: str) -> int | None:
    """Return how many of something metadata endpoints shall give; None is all of it."""
    text = given.first(name)
    if text and not _INTEGER.fullmatch(text):
        raise Refusal(400, "bad_data", f"{name} must be a number")
    return int(text) if text and int(text) >= 0 else None


def lookback_ms(given: Arguments) -> int | None:
    """Return `lookback_delta`; none, or zero, is the server's own."""
    if not given.first("lookback_delta"):
        return None
    text = given.first("lookback_delta")
    try:
        length_ms = duration_ns(text) // 1_000_000
    except (ValueError, OverflowError):
        length_ms = -1
    if length_ms < 0:
        reason = f'cannot parse "{text}" to a valid duration'
        raise Refusal(400, "bad_data", f"error parsing lookback delta duration: {reason}")
    return length_ms or None


def timeout_seconds(given: Arguments, most: float) -> float:
    """Return how long a query may take: `timeout`, but at most the server's own bound."""
    return min(duration_ms(given, "timeout") / 1000, most) if given.first("timeout") else most


def expression_of(given: Arguments) -> Expression:
    """Return `query`, parsed. A long one takes a while: not on the event loop."""
    try:
        return parse(given.first("query"))
    except QuerySyntaxError as error:
        raise refuse("query", str(error)) from None


def matcher_sets(given: Arguments, name: str = "match[]") -> list[tuple[Matcher, ...]]:
    """Return the matchers of every `match[]`, parsed: not on the event loop."""
    sets = []
    for text in given.every(name):
        try:
            expression = parse(text)
        except QuerySyntaxError as error:
            reason = str(error)
            if NO_MATCHER in reason:
                reason = f"{name} must contain at least one non-empty matcher"
            raise refuse(name, reason) from None
        if not isinstance(expression, VectorSelector):
            raise refuse(name, f"{text} is not a series selector")
        sets.append(expression.all_matchers)
    return sets


def now_ms(clock: Clock) -> int:
    """Return the time in milliseconds."""
    return clock.time_ns() // 1_000_000
