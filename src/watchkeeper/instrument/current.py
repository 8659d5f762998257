"""The current span, entered and left in OpenTelemetry's own context variable.

Its functions for that take a dozen calls, a quarter of all that a request costs here. So the
variable itself is used, where OpenTelemetry keeps its context in one as it usually does; another
kind of context (OTEL_PYTHON_CONTEXT) is used by those functions.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from opentelemetry import context as open_context
from opentelemetry import trace
from opentelemetry.context import Context

Enter = Callable[[trace.Span, Context | None], Any]
Leave = Callable[[Any], None]

[_KEY] = trace.set_span_in_context(trace.INVALID_SPAN, Context())


def _by_variable(variable: ContextVar[Context]) -> tuple[Enter, Leave]:
    get, set_, reset = variable.get, variable.set, variable.reset

    def enter(span: trace.Span, context: Context | None = None) -> Any:
        return set_(Context({**(get() if context is None else context), _KEY: span}))

    def leave(token: Any) -> None:
        try:
            reset(token)
        except ValueError:
            # Left in another task than entered, as a generator is that nobody exhausted.
            return

    return enter, leave


def _by_functions() -> tuple[Enter, Leave]:
    def enter(span: trace.Span, context: Context | None = None) -> Any:
        return open_context.attach(trace.set_span_in_context(span, context))

    return enter, open_context.detach


def _ways() -> tuple[Enter, Leave]:
    runtime = getattr(open_context, "_RUNTIME_CONTEXT", None)
    variable = getattr(runtime, "_current_context", None)
    return _by_variable(variable) if isinstance(variable, ContextVar) else _by_functions()


enter, leave = _ways()
"""`enter(span, context=None)` makes a span the current one, in `context` or the current context;
`leave` takes what it returned, and undoes it."""
