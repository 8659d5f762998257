"""Spans of integrations: made if the contract has them, skipped in silence if not."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from opentelemetry import trace

from watchkeeper.contract import Span
from watchkeeper.instrument.telemetry import Telemetry
from watchkeeper.instrument.tracing import Expected, is_recorded


def optional_span(
    telemetry: Telemetry, declaration: Span, *, name: str = "", **attributes: Any
) -> AbstractContextManager[trace.Span]:
    """Return the span as a context manager, or one that does nothing."""
    if telemetry.declares(declaration):
        return telemetry.span(declaration, name=name, **attributes)
    return nullcontext(trace.INVALID_SPAN)


def client_span(
    telemetry: Telemetry,
    declaration: Span,
    *,
    name: str = "",
    expected: Expected = (),
    **attributes: Any,
) -> AbstractContextManager[trace.Span]:
    """Return the span of a call to another system: only inside of a trace that is recorded.

    By themselves such calls are what loops make, again and again; as traces of one span they
    would bury those that tell something. Exceptions in `expected` are the caller's to judge.
    """
    if is_recorded(trace.get_current_span()) and telemetry.declares(declaration):
        return telemetry.span(declaration, name=name, expected=expected, **attributes)
    return nullcontext(trace.INVALID_SPAN)
