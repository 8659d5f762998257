"""Background tasks of Starlette and FastAPI: each is a span of its own, linked to its request.

The request has been answered by then, and its span has ended. The task's trace is another one,
recorded if the request's is: its time must not look like time that somebody waited.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from opentelemetry import trace

from watchkeeper.instrument.span import LiveSpan
from watchkeeper.instrument.tracing import CurrentSpan, Tracing
from watchkeeper.model import SpanKind

_WATCHED = "__watchkeeper_background__"


def watch_background_tasks() -> None:
    """Watch every background task that runs below a request of ours, from now on.

    The class is Starlette's, so it is watched once for the process; a task that belongs to no
    request of ours runs as ever.
    """
    module: Any = sys.modules.get("starlette.background")
    task_class = getattr(module, "BackgroundTask", None)
    if task_class is None or hasattr(task_class.__call__, _WATCHED):
        return
    task_class.__call__ = _watched(task_class.__call__)


def _watched(run: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    @wraps(run)
    async def watched(task: Any) -> None:
        span = _span_of(task, trace.get_current_span())
        if span is None:
            await run(task)
            return
        with CurrentSpan(span):
            await run(task)

    setattr(watched, _WATCHED, True)
    return watched


def _span_of(task: Any, request: trace.Span) -> LiveSpan | None:
    """Return the span of a task that `request` left behind, or None if it shall have none."""
    if not isinstance(request, LiveSpan) or request.kind is not SpanKind.SERVER:
        return None
    tracing = request.owner
    function = getattr(task, "func", None)
    if not isinstance(tracing, Tracing) or function is None:
        return None
    try:
        name = getattr(function, "__qualname__", type(function).__name__)
        span = tracing.begin(f"background {name}", SpanKind.INTERNAL, None)
        span.sampled = request.sampled
        if span.sampled:
            span.undecided = None
        span.add_link(request.get_span_context())
        module = getattr(function, "__module__", None)
        span.set_attribute("code.function.name", f"{module}.{name}" if module else name)
    except Exception as error:  # noqa: BLE001 - never break the host
        tracing.fault("background", error)
        return None
    return span
