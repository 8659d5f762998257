"""Spans of integrations: made if the contract has them, skipped in silence if not."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from opentelemetry import trace

from watchkeeper.contract import Span
from watchkeeper.instrument.telemetry import Telemetry


def optional_span(
    telemetry: Telemetry, declaration: Span, *, name: str = "", **attributes: Any
) -> AbstractContextManager[trace.Span]:
    """Return the span as a context manager, or one that does nothing."""
    if telemetry.declares(declaration):
        return telemetry.span(declaration, name=name, **attributes)
    return nullcontext(trace.INVALID_SPAN)
