"""The live side of a contract: one object per service and process, from which all is used."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from opentelemetry import trace

from watchkeeper.clock import Clock, IdSource, RandomIds, SystemClock
from watchkeeper.contract import (
    Contract,
    Counter,
    Gauge,
    Histogram,
    LogEvent,
    Metric,
    Span,
    Summary,
)
from watchkeeper.conventions import telemetry as own
from watchkeeper.errors import ContractError
from watchkeeper.instrument import forks
from watchkeeper.instrument.collect import collect
from watchkeeper.instrument.current import current_span
from watchkeeper.instrument.events import pending_event
from watchkeeper.instrument.faults import LOGGER, Faults
from watchkeeper.instrument.foreign import foreign_families
from watchkeeper.instrument.instruments import (
    LiveCounter,
    LiveGauge,
    LiveHistogram,
    LiveSummary,
)
from watchkeeper.instrument.log_handler import QueueHandler, current_ids
from watchkeeper.instrument.logging_setup import LoggingSetup
from watchkeeper.instrument.metrics_app import MetricsApp
from watchkeeper.instrument.pipeline import Pipeline
from watchkeeper.instrument.process_files import ProcessFiles
from watchkeeper.instrument.registry import Family, Registry
from watchkeeper.instrument.sampling import Sampler
from watchkeeper.instrument.series import GaugeSeries, Recording
from watchkeeper.instrument.settings import Settings
from watchkeeper.instrument.span import LiveSpan
from watchkeeper.instrument.system import LoopLag, ProcessGauges
from watchkeeper.instrument.tail import Tail, TailRules
from watchkeeper.instrument.tracing import (
    CurrentSpan,
    Expected,
    Tracing,
    carrier_of,
    context_of_carrier,
    continuing,
    is_untraced,
    leave_global,
    make_global,
    untraced,
)
from watchkeeper.instrument.values import MemoryValues
from watchkeeper.model import SpanKind
from watchkeeper.wire import exposition

Function = TypeVar("Function", bound=Callable[..., Any])


class Telemetry:
    """What a service emits, by its contract.

    Construction starts nothing; instruments count from then on. `start` opens the files,
    threads and handlers, `stop` flushes and closes them; both may be called twice. After a fork
    the child starts anew by itself. Whatever fails in here is counted
    (`telemetry_faults_total`) and logged once; it is raised only if `settings.loud`.
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
        self.service = self.settings.service or contract.service
        self.faults = Faults(loud=self.settings.loud)
        self.started = False
        self._since_seconds = self.clock.time_ns() / 1e9
        recording = Recording(self.clock, self.faults)
        recording.current_trace = _sampled_trace_id
        self.registry = Registry(
            contract.signals.metrics,
            MemoryValues(),
            recording,
            self.faults,
            hidden=own.SIGNALS.metrics,
        )
        self.registry.on_fold = self._on_fold
        self.faults.count = self._on_fault
        self.tracing = Tracing(
            self.clock,
            ids or RandomIds(),
            _sampler(self.settings, contract),
            self.faults,
        )
        self.tracing.limits = self.settings.span_limits
        self.tracing.propagate(self.settings.propagators)
        self.pipeline = Pipeline(
            contract, self.service, self.settings, self.clock, self.registry, self.faults
        )
        self.registry.clean = self.pipeline.redactor.text
        self.pipeline.on_tick = self._refresh_gauges
        self.tracing.on_end = self.put = self.pipeline.put
        if not self.settings.sampler.endswith("always_off"):
            rules = TailRules(self.settings.keep_errors, int(self.settings.keep_slow_seconds * 1e9))
            self.tracing.tail = Tail(rules, self.put, self._on_tail_full)
        self._gauges = ProcessGauges(
            self.registry,
            self.clock,
            version=contract.version,
            environment=self.settings.environment,
        )
        self._logging = LoggingSetup(QueueHandler(self.put, self.clock, self.faults))
        self._events = {event.name: event for event in contract.signals.events}
        self._spans = {span.name: span for span in contract.signals.spans}
        self._files: ProcessFiles | None = None

    def start(self) -> None:
        """Begin to observe: open the process's values, the log handler, the tracer, export."""
        if self.started:
            return
        self.started = True
        if self.settings.disabled:
            return
        try:
            self._open_values()
            make_global(self.tracing)
            self._logging.install(self.put, self.clock)
            self.pipeline.start()
            forks.watch(self)
            for unused in self.settings.unused:
                LOGGER.warning("%s", unused)
        except Exception as error:  # noqa: BLE001 - never break the host
            self.faults.note("start", error)

    def stop(self) -> None:
        """Send what waits, for `settings.shutdown_timeout_seconds` at the most, and let go."""
        if not self.started:
            return
        self.started = False
        if self.settings.disabled:
            return
        try:
            forks.forget(self)
            if self._gauges.lag is not None:
                self._gauges.lag.stop()
                self._gauges.lag = None
            self._logging.remove()
            self.pipeline.stop()
            leave_global(self.tracing)
        except Exception as error:  # noqa: BLE001 - never break the host
            self.faults.note("stop", error)

    def __enter__(self) -> Telemetry:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def declares(self, declaration: Metric | Span) -> bool:
        """Return whether the contract holds this metric or span, by name and type."""
        if isinstance(declaration, Span):
            return declaration.name in self._spans
        return (
            declaration.name not in self.registry.hidden
            and self.registry.find(declaration) is not None
        )

    def counter(self, declaration: Counter) -> LiveCounter:
        """Return the counter: `.inc(1.0, **labels)`, `.labels(**labels).inc()`."""
        return LiveCounter(self._family(declaration), self.faults)

    def gauge(self, declaration: Gauge) -> LiveGauge:
        """Return the gauge: `.set(v, **labels)`, `.inc()`, `.dec()`, `.follow(f, **labels)`."""
        return LiveGauge(self._family(declaration), self.faults)

    def histogram(self, declaration: Histogram) -> LiveHistogram:
        """Return the histogram: `.observe(v, **labels)`, `with .time(**labels):`."""
        return LiveHistogram(self._family(declaration), self.faults)

    def summary(self, declaration: Summary) -> LiveSummary:
        """Return the summary: `.observe(v, **labels)`, `with .time(**labels):`."""
        return LiveSummary(self._family(declaration), self.faults)

    def span(
        self,
        declaration: Span | str,
        *,
        name: str = "",
        expected: Expected = (),
        **attributes: Any,
    ) -> AbstractContextManager[trace.Span]:
        """Time a piece of work: `with telemetry.span(JOB_SPAN, **{"job.id": id}) as span:`.

        The span may be given by the name that the contract declares.
        A plain context manager, right in async code too. An exception that leaves the block is
        recorded and sets the status ERROR, unless it is one of the `expected`: then whoever
        catches it judges. `name` is for spans that a convention lets vary.
        """
        span = self.start_span(declaration, name=name, **attributes)
        return CurrentSpan(span, expected) if isinstance(span, LiveSpan) else nullcontext(span)

    def start_span(
        self, declaration: Span | str, *, name: str = "", **attributes: Any
    ) -> trace.Span:
        """Start a span that does not become the current one; whoever asked for it ends it."""
        try:
            declared = declaration if isinstance(declaration, str) else declaration.name
            found = self._spans.get(declared)
            if found is None:
                self.faults.note("span", ContractError(f"span {declared}: not declared"))
            kind = getattr(found or declaration, "kind", SpanKind.INTERNAL)
            parent = trace.get_current_span()
            if self.settings.disabled or is_untraced():
                return trace.NonRecordingSpan(parent.get_span_context())
            span = self.tracing.begin_below(parent, name or declared, kind)
            span.set_attributes(attributes)
            return span
        except Exception as error:  # noqa: BLE001 - never break the host
            self.faults.note("span", error)
            return trace.INVALID_SPAN

    def traced(self, declaration: Span | str) -> Callable[[Function], Function]:
        """Return a decorator that runs a plain or async function inside the span, which may be
        given by its name."""

        def decorate(function: Function) -> Function:
            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def traced_async(*args: Any, **kwargs: Any) -> Any:
                    with self.span(declaration):
                        return await function(*args, **kwargs)

                return traced_async  # type: ignore[return-value] # wraps keeps the signature

            @functools.wraps(function)
            def traced_plain(*args: Any, **kwargs: Any) -> Any:
                with self.span(declaration):
                    return function(*args, **kwargs)

            return traced_plain  # type: ignore[return-value] # wraps keeps the signature

        return decorate

    def log(self, event: LogEvent, **fields: Any) -> None:
        """Write a declared log event; the current trace's ids are added.

        A field that the event does not declare is left out, and is a fault.
        """
        try:
            if event.name not in self._events:
                self.faults.note("log", ContractError(f"log event {event.name}: not declared"))
            self.put(pending_event(event, fields, self.clock.time_ns(), self.faults))
        except Exception as error:  # noqa: BLE001 - never break the host
            self.faults.note("log", error)

    def trace_id(self) -> str:
        """Return the current trace's id, 32 hex digits, or '' outside of any span."""
        trace_id, _, _ = current_ids()
        return f"{trace_id:032x}" if trace_id else ""

    def inject(self) -> dict[str, str]:
        """Return the carrier (`traceparent`, `tracestate`) for a queue or an HTTP call."""
        return carrier_of(trace.get_current_span().get_span_context(), self.tracing)

    def continued(self, carrier: Mapping[str, str]) -> AbstractContextManager[None]:
        """Make what starts inside the block a child of the carrier's span."""
        try:
            return continuing(context_of_carrier(carrier, self.tracing))
        except Exception as error:  # noqa: BLE001 - whoever sent it may have sent anything
            self.faults.note("carrier", error)
            return nullcontext()

    def untraced(self) -> AbstractContextManager[None]:
        """Leave no spans of what happens inside: loops that look after things every few seconds
        would bury the traces of what people asked for. Metrics and log lines are as ever."""
        return untraced()

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Return every metric of the service as (body, content type), as `accept` asks for.

        Adds up the processes of the service, the dead included. Metrics that the service keeps
        in prometheus_client's default registry follow, those of this process.
        """
        self.flush()
        self._refresh_gauges()
        others = None
        if self._files is not None:
            try:
                others = self._files.read_others()
            except Exception as error:  # noqa: BLE001 - any process may have written anything
                self.faults.note("process_files", error)
        tells_since = (
            self.settings.created_samples
            or exposition.preferred_format(accept) == exposition.PROTOBUF_MEDIA_TYPE
        )
        since_seconds = self._since_seconds if tells_since else None
        families = collect(self.registry.shown(), others, since_seconds)
        families += foreign_families(
            {family.name for family in families},
            self.registry.clean,
            partial(self.faults.note, "foreign_metrics"),
        )
        return exposition.encode(families, accept)

    def metrics_app(self) -> MetricsApp:
        """Return an ASGI app that answers GET /metrics, for a process without an API."""
        return MetricsApp(self)

    def flush(self) -> None:
        """Turn every record that waits into metrics, spans and lines, now, in this thread."""
        self.pipeline.flush()

    def deliver(self, timeout_seconds: float = 5.0) -> bool:
        """Flush, and wait for the export of all that waits: for a process that is about to be
        frozen, as functions are between two calls.

        Return whether everything was delivered, or given up, within the time.
        """
        self.flush()
        return self.pipeline.deliver(timeout_seconds)

    def redact(self, text: str) -> str:
        """Return `text` without personal data and secrets, as every signal leaves; nothing of it
        if that cannot be done."""
        try:
            return self.pipeline.redactor.text(text)
        except Exception as error:  # noqa: BLE001 - never break the host
            self.faults.note("redact", error)
            return ""

    def watch_event_loop(self) -> None:
        """Measure the lag of the running event loop from now on."""
        if self._gauges.lag is None and not self.settings.disabled:
            self._gauges.lag = LoopLag(asyncio.get_running_loop())

    def before_fork(self) -> None:
        """Hold still: no series may be half written in the child."""
        self.registry.recording.lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self.registry.recording.lock.release()

    def after_fork_in_child(self) -> None:
        """Start anew, from zero: what waits is the parent's to send."""
        self.registry.recording.lock.release()
        self._gauges.begin_anew()
        if self.tracing.tail is not None:
            self.tracing.tail.reset()
        self.pipeline.reset()
        self._since_seconds = self.clock.time_ns() / 1e9
        self._open_values(keep=False)

    def _open_values(self, *, keep: bool = True) -> None:
        if keep and self._files is not None:
            return
        try:
            if self.settings.process_directory:
                directory = Path(self.settings.process_directory)
                files = ProcessFiles(directory, self.service, self.clock, self.faults)
                self.registry.move(files.open_own(), keep=keep)
                self._files = files
            elif not keep:
                self.registry.move(MemoryValues(), keep=False)
        except OSError as error:
            # Cells of a parent's file must not stay in use in the child.
            self.registry.move(MemoryValues(), keep=keep)
            self.faults.note("process_files", error)

    def _family(self, declaration: Metric) -> Family:
        family = self.registry.find(declaration)
        if family is None:
            self.faults.note(
                "metric", ContractError(f"metric {declaration.name}: not in the contract")
            )
            family = self.registry.detached(declaration)
        return family

    def _refresh_gauges(self) -> None:
        self.pipeline.show_queue()
        try:
            self._gauges.refresh()
        except (OSError, ValueError) as error:
            self.faults.note("process_gauges", error)
        for family in self.registry.families.values():
            if not isinstance(family.declaration, Gauge):
                continue
            for series in tuple(family.series.values()):
                if isinstance(series, GaugeSeries) and series.callback is not None:
                    try:
                        series.set(float(series.callback()))
                    except Exception as error:  # noqa: BLE001 - the service's own code
                        self.faults.note("gauge_callback", error)

    def _on_fold(self, metric: str, label: str) -> None:
        # The count of what folds must not fold in turn.
        if metric != own.FOLDED.name:
            self.counter(own.FOLDED).inc(metric=metric, label=label)

    def _on_tail_full(self, spans: int) -> None:
        self.counter(own.DROPPED).inc(spans, signal="spans", reason="tail_full")

    def _on_fault(self, where: str) -> None:
        self.counter(own.FAULTS).inc(where=where)


def _sampler(settings: Settings, contract: Contract) -> Sampler:
    """Return what the environment asks for, or else what the contract declares."""
    if settings.sampler:
        return Sampler(settings.sampler, settings.sampler_ratio)
    return Sampler("parentbased_traceidratio", contract.trace_sampling_ratio)


def _sampled_trace_id() -> int:
    span = current_span()
    if isinstance(span, LiveSpan):
        return span.trace_id if span.is_sampled() else 0
    if span is trace.INVALID_SPAN:
        return 0
    context = span.get_span_context()
    return context.trace_id if context.trace_flags.sampled and context.is_valid else 0
