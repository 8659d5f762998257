"""The live side of a contract: one object per service and process, from which all is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from opentelemetry.trace import Span as OpenSpan

from watchkeeper.clock import Clock, IdSource, RandomIds, SystemClock
from watchkeeper.contract import Contract, Counter, Gauge, Histogram, LogEvent, Span, Summary
from watchkeeper.instrument.instruments import (
    LiveCounter,
    LiveGauge,
    LiveHistogram,
    LiveSummary,
)
from watchkeeper.instrument.settings import Settings

Function = TypeVar("Function", bound=Callable[..., Any])


class Telemetry:
    """What a service emits, by its contract.

    Construction starts nothing. `start` opens the files, threads and handlers, `stop` flushes
    and closes them; both may be called twice. After a fork the child starts anew by itself.
    Whatever fails in here is counted (`telemetry_faults_total`) and logged once; it is raised
    only if `settings.loud`.
    """

    def __init__(
        self,
        contract: Contract,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        ids: IdSource | None = None,
    ) -> None:
        self.contract = contract
        self.settings = settings or Settings()
        self.clock = clock or SystemClock()
        self.ids = ids or RandomIds()

    def start(self) -> None:
        """Begin to observe: open the process's values, the log handler, the tracer, export."""
        raise NotImplementedError

    def stop(self) -> None:
        """Send what waits, for `settings.shutdown_timeout_seconds` at the most, and let go."""
        raise NotImplementedError

    def __enter__(self) -> Telemetry:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def counter(self, declaration: Counter) -> LiveCounter:
        """Return the counter: `.inc(1.0, **labels)`, `.labels(**labels).inc()`."""
        raise NotImplementedError

    def gauge(self, declaration: Gauge) -> LiveGauge:
        """Return the gauge: `.set(v, **labels)`, `.inc()`, `.dec()`, `.follow(f, **labels)`."""
        raise NotImplementedError

    def histogram(self, declaration: Histogram) -> LiveHistogram:
        """Return the histogram: `.observe(v, **labels)`, `with .time(**labels):`."""
        raise NotImplementedError

    def summary(self, declaration: Summary) -> LiveSummary:
        """Return the summary: `.observe(v, **labels)`, `with .time(**labels):`."""
        raise NotImplementedError

    def span(
        self, declaration: Span, *, name: str = "", **attributes: Any
    ) -> AbstractContextManager[OpenSpan]:
        """Time a piece of work: `with telemetry.span(JOB_SPAN, **{"job.id": id}) as span:`.

        A plain context manager, right in async code too. An exception that leaves the block is
        recorded and sets the status ERROR.
        """
        raise NotImplementedError

    def traced(self, declaration: Span) -> Callable[[Function], Function]:
        """Return a decorator that runs a plain or async function inside the span."""
        raise NotImplementedError

    def log(self, event: LogEvent, **fields: Any) -> None:
        """Write a declared log event; the current trace's ids are added."""
        raise NotImplementedError

    def trace_id(self) -> str:
        """Return the current trace's id, 32 hex digits, or '' outside of any span."""
        raise NotImplementedError

    def inject(self) -> dict[str, str]:
        """Return the carrier (`traceparent`, `tracestate`) for a queue or an HTTP call."""
        raise NotImplementedError

    def continued(self, carrier: Mapping[str, str]) -> AbstractContextManager[None]:
        """Make what starts inside the block a child of the carrier's span."""
        raise NotImplementedError

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Return every metric of the service as (body, content type), as `accept` asks for."""
        raise NotImplementedError

    def metrics_app(self) -> Callable[..., Any]:
        """Return an ASGI app that answers GET /metrics, for a process without an API."""
        raise NotImplementedError

    def flush(self) -> None:
        """Turn every record that waits into metrics, spans and lines, now, in this thread."""
        raise NotImplementedError
