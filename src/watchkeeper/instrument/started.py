"""What a tracer's `start_as_current_span` returns: a context manager, and a decorator.

OpenTelemetry's own is a generator around a generator: a span costs twice as much with it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from watchkeeper.instrument.current import enter, leave

Function = TypeVar("Function", bound=Callable[..., Any])


class StartedSpan:
    """Starts a span on entry, makes it the current one, and ends it on exit.

    As OpenTelemetry has it, an Exception that leaves the block is recorded and sets the status,
    unless told otherwise; what is no Exception (a cancelled task) is not an error. Decorates plain
    and async functions.
    """

    __slots__ = ("_end", "_record", "_set_status", "_span", "_start", "_token")

    def __init__(
        self, start: Callable[[], trace.Span], *, record: bool, set_status: bool, end: bool
    ) -> None:
        self._start = start
        self._record = record
        self._set_status = set_status
        self._end = end

    def __enter__(self) -> trace.Span:
        self._span = self._start()
        self._token = enter(self._span, None)
        return self._span

    def __exit__(self, kind: Any, error: BaseException | None, stack: Any) -> None:
        leave(self._token)
        span = self._span
        if isinstance(error, Exception) and span.is_recording():
            if self._record:
                span.record_exception(error)
            if self._set_status:
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        if self._end:
            span.end()

    def __call__(self, function: Function) -> Function:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def started_async(*args: Any, **kwargs: Any) -> Any:
                with self._anew():
                    return await function(*args, **kwargs)

            return started_async  # type: ignore[return-value] # wraps keeps the signature

        @functools.wraps(function)
        def started(*args: Any, **kwargs: Any) -> Any:
            with self._anew():
                return function(*args, **kwargs)

        return started  # type: ignore[return-value] # wraps keeps the signature

    def _anew(self) -> StartedSpan:
        return StartedSpan(
            self._start, record=self._record, set_status=self._set_status, end=self._end
        )
