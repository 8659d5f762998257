"""The current span, entered and left in OpenTelemetry's own context variable.

Its functions for that take a dozen calls, a quarter of all that a request costs here. So the
variable itself is used, where OpenTelemetry keeps its context in one as it usually does; another
kind of context (OTEL_PYTHON_CONTEXT) is used by those functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from opentelemetry import context as open_context
from opentelemetry import trace
from opentelemetry.context import Context

Enter = Callable[[trace.Span, Context | None], Any]
Leave = Callable[[Any], None]
Current = Callable[[], trace.Span]
Surrounding = Callable[[], Mapping[str, object]]

[_KEY] = trace.set_span_in_context(trace.INVALID_SPAN, Context())


_SPANS: set[type] = set()
"""Classes that are known to be spans: to ask whether one is takes longer than all else here."""


def span_in(context: Mapping[str, object]) -> trace.Span:
    """Return the span of a context of OpenTelemetry's, or its INVALID_SPAN."""
    span: Any = context.get(_KEY)
    if type(span) not in _SPANS:
        if not isinstance(span, trace.Span):
            return trace.INVALID_SPAN
        _SPANS.add(type(span))
    return span  # type: ignore[no-any-return]


def _by_variable(variable: ContextVar[Context]) -> tuple[Enter, Leave, Current, Surrounding]:
    get, set_, reset = variable.get, variable.set, variable.reset

    def enter(span: trace.Span, context: Context | None) -> Any:
        outer: Context = get() if context is None else context
        # Not OpenTelemetry's Context, which costs as much to make as all else here: whoever
        # changes a context changes a copy.
        inner: Any = {**outer, _KEY: span} if outer else {_KEY: span}
        return set_(inner)

    def leave(token: Any) -> None:
        try:
            reset(token)
        except ValueError:
            # Left in another task than entered, as a generator is that nobody exhausted.
            return

    def current() -> trace.Span:
        context = get()
        span: Any = context.get(_KEY)
        return span if type(span) in _SPANS else span_in(context)

    return enter, leave, current, get


def _by_functions() -> tuple[Enter, Leave, Current, Surrounding]:
    def enter(span: trace.Span, context: Context | None) -> Any:
        return open_context.attach(trace.set_span_in_context(span, context))

    return enter, open_context.detach, trace.get_current_span, open_context.get_current


def _ways() -> tuple[Enter, Leave, Current, Surrounding]:
    runtime = getattr(open_context, "_RUNTIME_CONTEXT", None)
    variable = getattr(runtime, "_current_context", None)
    return _by_variable(variable) if isinstance(variable, ContextVar) else _by_functions()


enter, leave, current_span, current_context = _ways()
"""`enter(span, context)` makes a span the current one, in `context` or, for None, in the current
context; `leave` takes what it returned, and undoes it. `current_span()` is the one that is,
`current_context()` what surrounds it."""
