"""Prometheus remote read: what another Prometheus asks, and the samples it is answered with.

Source: prometheus.io, "Remote Read API"; prompb/remote.proto. Bodies are not compressed here.
Answers are of the kind SAMPLES; native histograms are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from watchkeeper.errors import DecodeError
from watchkeeper.model import Labels, Matcher, MatchOperator
from watchkeeper.wire.message import Message
from watchkeeper.wire.protobuf import (
    FIXED64,
    LENGTH,
    VARINT,
    delimited,
    pack_double,
    signed,
    tag,
    varint,
)

_OPERATORS = (
    MatchOperator.EQUAL,
    MatchOperator.NOT_EQUAL,
    MatchOperator.REGEX,
    MatchOperator.NOT_REGEX,
)
_FIRST, _SECOND = tag(1, LENGTH), tag(2, LENGTH)
_VALUE, _TIME = tag(1, FIXED64), tag(2, VARINT)


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """One selector and its range, both ends inclusive."""

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int


Column = tuple[Labels, Sequence[int], Sequence[float]]
"""One series: labels, times in milliseconds, values."""


def decode_queries(body: bytes) -> list[ReadQuery]:
    """Return the queries of a ReadRequest. Raises DecodeError."""
    queries = []
    for content in Message(body, (1,)).repeated(1):
        query = Message(content, (3,))
        matchers = tuple(_matcher(one) for one in query.repeated(3))
        queries.append(ReadQuery(matchers, signed(query.number(1)), signed(query.number(2))))
    return queries


def _matcher(content: bytes) -> Matcher:
    message = Message(content, ())
    kind = message.number(1)
    if kind >= len(_OPERATORS):
        raise DecodeError(f"remote read: {kind} is no kind of matcher")
    return Matcher(message.text(2), _OPERATORS[kind], message.text(3))


def encode_results(results: Iterable[Iterable[Column]]) -> bytes:
    """Return a ReadResponse: for each query its series."""
    return b"".join(
        delimited(_FIRST, b"".join(delimited(_FIRST, _series(column)) for column in columns))
        for columns in results
    )


def _series(column: Column) -> bytes:
    labels, times_ms, values = column
    pairs = [
        delimited(_FIRST, delimited(_FIRST, name.encode()) + delimited(_SECOND, value.encode()))
        for name, value in labels
    ]
    samples = [
        delimited(_SECOND, _VALUE + pack_double(value) + _TIME + varint(moment_ms))
        for moment_ms, value in zip(times_ms, values, strict=True)
    ]
    return b"".join([*pairs, *samples])
