"""W3C Trace Context: the `traceparent` and `tracestate` headers.

    parse(header) -> TraceParent | None           None for a header that W3C says to ignore
    format(trace_id, span_id, sampled) -> str
    parse_state(header) -> tuple[(key, value), ...]
    format_state(entries) -> str

Source: W3C Trace Context, Recommendation of 2021. Reading is by slicing, since it happens on
every request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_LENGTH = 55
_HEX = frozenset("0123456789abcdef")
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_SAMPLED = 1

_STATE_ENTRIES = 32
_STATE_KEY = re.compile(
    r"(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})\Z"
)
_STATE_VALUE = re.compile(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]\Z")


class TraceParent(NamedTuple):
    """Who called: lower-case hex ids, and whether the caller records its trace."""

    trace_id: str
    span_id: str
    sampled: bool


def parse(header: str) -> TraceParent | None:
    """Return what a `traceparent` header says, or None if it must be ignored.

    A version above 00 is read as far as version 00 goes, as W3C asks.
    """
    version, trace_id, span_id, flags = header[0:2], header[3:35], header[36:52], header[53:55]
    if len(header) != _LENGTH and (
        len(header) < _LENGTH or version == "00" or header[_LENGTH] != "-"
    ):
        return None
    if (
        header[2] != "-"
        or header[35] != "-"
        or header[52] != "-"
        or version == "ff"
        or trace_id == _NO_TRACE
        or span_id == _NO_SPAN
        or not _HEX.issuperset(version + trace_id + span_id + flags)
    ):
        return None
    return TraceParent(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def format(trace_id: str, span_id: str, sampled: bool) -> str:
    """Return a version 00 header for lower-case hex ids."""
    return f"00-{trace_id}-{span_id}-{'01' if sampled else '00'}"


def parse_state(header: str) -> tuple[tuple[str, str], ...]:
    """Return a `tracestate` header's entries in order; empty if any of it is malformed."""
    entries: dict[str, str] = {}
    for member in header.split(","):
        entry = member.strip(" \t")
        if not entry:
            continue
        name, separator, value = entry.partition("=")
        if (
            not separator
            or name in entries
            or not _STATE_KEY.match(name)
            or not _STATE_VALUE.match(value)
        ):
            return ()
        entries[name] = value
    return tuple(entries.items()) if len(entries) <= _STATE_ENTRIES else ()


def format_state(entries: Iterable[tuple[str, str]]) -> str:
    """Return entries as a `tracestate` header."""
    return ",".join([f"{name}={value}" for name, value in entries])
