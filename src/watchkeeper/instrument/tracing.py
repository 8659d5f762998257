"""OpenTelemetry's TracerProvider and Tracer over live spans.

The provider is set as the global one, so that get_current_span(), child spans, links and the
instrumentations of other libraries work unchanged. OpenTelemetry allows that once for a
process: what is set is a switch that leads to the telemetry that was started last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from opentelemetry import baggage, trace
from opentelemetry import context as open_context
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, Tracer, TracerProvider, TraceState
from opentelemetry.trace import SpanKind as OpenSpanKind

from watchkeeper.clock import Clock, IdSource
from watchkeeper.instrument.current import current_context, enter, leave, span_in
from watchkeeper.instrument.environment import PROPAGATORS
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.finish import attribute_value
from watchkeeper.instrument.sampling import Sampler
from watchkeeper.instrument.span import SCOPE, LiveSpan
from watchkeeper.instrument.span_limits import DEFAULT_LIMITS
from watchkeeper.instrument.started import StartedSpan
from watchkeeper.instrument.tail import Tail, Undecided
from watchkeeper.model import AttributeValue, Scope, SpanKind
from watchkeeper.wire import traceparent

LOGGER = logging.getLogger("watchkeeper.instrument")

Expected = type[BaseException] | tuple[type[BaseException], ...]
"""Exceptions that leave a span without being its error."""

UNTRACED = open_context.create_key("watchkeeper-untraced")
_BAGGAGE = W3CBaggagePropagator()

_KINDS = {
    OpenSpanKind.INTERNAL._value_: SpanKind.INTERNAL,
    OpenSpanKind.SERVER._value_: SpanKind.SERVER,
    OpenSpanKind.CLIENT._value_: SpanKind.CLIENT,
    OpenSpanKind.PRODUCER._value_: SpanKind.PRODUCER,
    OpenSpanKind.CONSUMER._value_: SpanKind.CONSUMER,
}
"""By the value: an enumeration's members hash themselves in Python."""


class Tracing:
    """Makes spans, and hands the ended ones to `on_end`."""

    def __init__(self, clock: Clock, ids: IdSource, sampler: Sampler, faults: Faults) -> None:
        self.clock = clock
        # Functions that every span calls: an attribute less to look through.
        self.time_ns, self.monotonic_ns = clock.time_ns, clock.monotonic_ns
        self.ids = ids
        self.sampler = sampler
        self.faults = faults
        self.limits = DEFAULT_LIMITS
        self.on_end: Callable[[Any], None] = lambda ended: None
        self.tail: Tail | None = None
        self.propagate(PROPAGATORS)

    def propagate(self, propagators: Collection[str]) -> None:
        """Read and send on only the headers of these: `tracecontext`, `baggage`."""
        self.parent_header = b"traceparent" if "tracecontext" in propagators else b""
        self.baggage_header = b"baggage" if "baggage" in propagators else b""

    def fault(self, where: str, error: BaseException) -> None:
        """Count an error that must not reach the service."""
        self.faults.note(where, error)

    def begin(
        self,
        name: str,
        kind: SpanKind,
        parent: SpanContext | None,
        *,
        scope: Scope = SCOPE,
        start_ns: int = 0,
    ) -> LiveSpan:
        """Return a new local root: below a remote `parent`, or at the root of a new trace."""
        span = self._begin(name, kind, parent, scope, start_ns)
        self.await_end(span)
        return span

    def await_end(self, span: LiveSpan) -> None:
        """Let the end of a local root that the head did not choose decide about its trace."""
        if not span.sampled and self.tail is not None:
            span.undecided = Undecided(self.tail, span.span_id)

    def begin_below(
        self,
        parent: trace.Span,
        name: str,
        kind: SpanKind,
        *,
        scope: Scope = SCOPE,
        start_ns: int = 0,
    ) -> LiveSpan:
        """Return a new span below `parent`, the current span, which may be none at all."""
        if not isinstance(parent, LiveSpan):
            context = parent.get_span_context()
            return self.begin(name, kind, context, scope=scope, start_ns=start_ns)
        trace_id = parent.trace_id
        sampled = self.sampler.child(trace_id, parent.is_sampled())
        own, above = self.ids.span_id(), parent.span_id
        span = LiveSpan(
            self, name, kind, trace_id, own, above, sampled, parent.state, scope, start_ns
        )
        if not sampled and parent.may_be_recorded():
            span.undecided = parent.undecided
        return span

    def origin(self, parent: SpanContext | None) -> tuple[int, int, bool, TraceState | None]:
        """Return trace id, parent's span id, whether it is sampled, and the state of a span
        below `parent`."""
        if parent is None or not parent.is_valid:
            trace_id = self.ids.trace_id()
            return trace_id, 0, self.sampler.root(trace_id), None
        sampled = self.sampler.child(parent.trace_id, parent.trace_flags.sampled)
        return parent.trace_id, parent.span_id, sampled, parent.trace_state

    def _begin(
        self, name: str, kind: SpanKind, parent: SpanContext | None, scope: Scope, start_ns: int
    ) -> LiveSpan:
        trace_id, parent_span_id, sampled, state = self.origin(parent)
        span = LiveSpan(
            self,
            name,
            kind,
            trace_id,
            self.ids.span_id(),
            parent_span_id=parent_span_id,
            sampled=sampled,
            state=state,
            scope=scope,
            start_ns=start_ns,
        )
        if parent_span_id and parent is not None and parent.is_remote:
            span.remote_parent = True
        return span


class LiveTracer(Tracer):
    """A tracer of one instrumentation scope."""

    def __init__(self, provider: LiveTracerProvider, scope: Scope) -> None:
        self._provider = provider
        self._scope = scope

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: OpenSpanKind = OpenSpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        tracing = self._provider.tracing
        surrounding = current_context() if context is None else context
        parent = span_in(surrounding)
        if tracing is None or surrounding.get(UNTRACED) is not None:
            return trace.NonRecordingSpan(parent.get_span_context())
        span = tracing.begin_below(
            parent, name, _KINDS[kind._value_], scope=self._scope, start_ns=start_time or 0
        )
        if attributes:
            span.set_attributes(attributes)
        for link in links or ():
            span.add_link(link.context, link.attributes)
        return span

    def start_as_current_span(  # type: ignore[override] # noqa: PLR0913 - OpenTelemetry's signature
        self,
        name: str,
        context: Context | None = None,
        kind: OpenSpanKind = OpenSpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> StartedSpan:
        return StartedSpan(
            partial(self.start_span, name, context, kind, attributes, links, start_time),
            record=record_exception,
            set_status=set_status_on_exception,
            end=end_on_exit,
        )


class LiveTracerProvider(TracerProvider):
    """A provider that leads to whichever telemetry runs; to none, its spans do nothing."""

    def __init__(self, tracing: Tracing | None = None) -> None:
        self.tracing = tracing

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> Tracer:
        pairs: tuple[tuple[str, AttributeValue], ...] = ()
        if isinstance(attributes, Mapping):
            pairs = tuple(
                [(str(name), attribute_value(value)) for name, value in attributes.items()]
            )
        said = (instrumenting_module_name, instrumenting_library_version, schema_url)
        name, version, url = [str(each or "") for each in said]
        return LiveTracer(self, Scope(name, version, url, pairs))


GLOBAL_PROVIDER = LiveTracerProvider()
_running: list[Tracing] = []
"""What the global provider may lead to, the telemetry that was started last at the end."""


def make_global(tracing: Tracing) -> None:
    """Lead OpenTelemetry's global tracer to `tracing`; another provider that is set stays."""
    provider = trace.get_tracer_provider()
    _running.append(tracing)
    GLOBAL_PROVIDER.tracing = tracing
    if provider is GLOBAL_PROVIDER:
        return
    if isinstance(provider, trace.ProxyTracerProvider):
        trace.set_tracer_provider(GLOBAL_PROVIDER)
        return
    LOGGER.warning(
        "%s is OpenTelemetry's tracer provider already: spans of other libraries go there",
        type(provider).__name__,
    )


def leave_global(tracing: Tracing) -> None:
    """Undo make_global: lead to the telemetry that was started before and still runs."""
    _running[:] = [other for other in _running if other is not tracing]
    GLOBAL_PROVIDER.tracing = _running[-1] if _running else None


class CurrentSpan:
    """A context manager that makes a span the current one, and ends it.

    Plain `with`, in async code too: the context variable is the task's own.
    """

    __slots__ = ("_expected", "_span", "_token")

    def __init__(self, span: LiveSpan, expected: Expected = ()) -> None:
        self._span = span
        self._expected = expected
        self._token: Any = None

    def __enter__(self) -> LiveSpan:
        self._token = enter(self._span, None)
        return self._span

    def __exit__(self, kind: Any, error: BaseException | None, stack: Any) -> None:
        leave(self._token)
        if isinstance(error, self._expected):
            self._span.end()
        else:
            self._span.__exit__(kind, error, stack)


def is_recorded(span: trace.Span) -> bool:
    """Return whether what happens below `span` belongs to a trace that is recorded, or may yet
    be."""
    if isinstance(span, LiveSpan):
        return span.may_be_recorded()
    context = span.get_span_context()
    return context.is_valid and context.trace_flags.sampled


def is_untraced(context: Context | None = None) -> bool:
    """Return whether `untraced` holds in `context` (default: the current one)."""
    return (current_context() if context is None else context).get(UNTRACED) is not None


@contextmanager
def untraced() -> Iterator[None]:
    """Leave no spans of what happens inside, and no trace ids in its log lines."""
    context = trace.set_span_in_context(trace.INVALID_SPAN)
    token = open_context.attach(open_context.set_value(UNTRACED, True, context))
    try:
        yield
    finally:
        open_context.detach(token)


def carrier_of(context: SpanContext, tracing: Tracing) -> dict[str, str]:
    """Return the W3C headers (`traceparent`, `tracestate`, `baggage`) that let another process
    go on from here; {} if there is nothing to go on from."""
    carrier: dict[str, str] = {}
    if tracing.baggage_header and baggage.get_all():
        _BAGGAGE.inject(carrier)
    if not tracing.parent_header or not context.is_valid:
        return carrier
    carrier["traceparent"] = traceparent.format(
        f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags.sampled
    )
    if context.trace_state:
        carrier["tracestate"] = context.trace_state.to_header()
    return carrier


def context_of(header: str, state: str = "") -> SpanContext | None:
    """Return the remote span of W3C headers, or None if there is none to continue."""
    parsed = traceparent.parse(header) if header else None
    if parsed is None:
        return None
    return SpanContext(
        int(parsed.trace_id, 16),
        int(parsed.span_id, 16),
        True,
        trace.TraceFlags(int(parsed.sampled)),
        TraceState.from_header([state]) if state else None,
    )


def with_baggage(header: str) -> Context:
    """Return the current context, with what a `baggage` header holds."""
    context = open_context.get_current()
    return _BAGGAGE.extract({"baggage": header}, context) if header else context


def context_of_carrier(carrier: Mapping[str, str], tracing: Tracing) -> Context:
    """Return the current context with the span and the baggage that a carrier holds."""
    parent, bags = tracing.parent_header.decode(), tracing.baggage_header.decode()
    span = context_of(carrier.get(parent, ""), carrier.get("tracestate", ""))
    context = with_baggage(carrier.get(bags, ""))
    if span is None:
        return context
    context = trace.set_span_in_context(trace.NonRecordingSpan(span), context)
    return open_context.set_value(UNTRACED, None, context)


@contextmanager
def continuing(context: Context) -> Iterator[None]:
    """Make what starts inside the block a child of the context's span, with its baggage."""
    token = open_context.attach(context)
    try:
        yield
    finally:
        open_context.detach(token)
