"""A live span: OpenTelemetry's Span, as cheap as its promises allow.

It is appended to the queue when it ends and becomes a SpanRecord in the pump, so that neither
conversion nor redaction nor encoding is paid by the work that it times.
"""

from __future__ import annotations

import traceback
from abc import ABCMeta
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from types import MappingProxyType
from typing import Any, Protocol

from opentelemetry.trace import (
    Span,
    SpanContext,
    Status,
    TraceFlags,
    TraceState,
)
from opentelemetry.trace import StatusCode as OpenStatusCode

from watchkeeper.instrument.span_limits import SpanLimits
from watchkeeper.instrument.tail import Undecided
from watchkeeper.model import Scope, SpanKind, StatusCode

SCOPE = Scope("watchkeeper")
"""The instrumentation scope of what we ourselves observe."""

UNSET = StatusCode.UNSET
"""A name of its own: to look into an enumeration takes as long as five attributes."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
_TRACE_MARK = "__watchkeeper_trace__"

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
NOT_SAMPLED = TraceFlags(TraceFlags.DEFAULT)

_STATUS = {
    OpenStatusCode.UNSET: StatusCode.UNSET,
    OpenStatusCode.OK: StatusCode.OK,
    OpenStatusCode.ERROR: StatusCode.ERROR,
}


class SpanOwner(Protocol):
    """What a span needs of the tracing that made it."""

    time_ns: Callable[[], int]
    monotonic_ns: Callable[[], int]
    limits: SpanLimits
    on_end: Callable[[Any], None]
    """Takes a span that has ended and is recorded, or the record of a request."""

    def fault(self, where: str, error: BaseException) -> None:
        """Count an error that must not reach the service."""
        ...


class _SpanType(ABCMeta):
    """Tells what is a LiveSpan by its bases: an abstract base class, such as OpenTelemetry's Span,
    takes five times as long to look in its registers."""

    __instancecheck__ = type.__instancecheck__


class LiveSpan(Span, metaclass=_SpanType):
    """A span from its start to its end. `sampled` says whether it is recorded; if it is not,
    `undecided` may be what decides at the end.

    Slots, though its base has a dictionary: to use them takes a tenth of the time. What few spans
    have is in the dictionary: how many attributes, events and links were too many (`dropped`), and
    whether the parent is of another process.
    """

    dropped: tuple[int, int, int] = (0, 0, 0)
    remote_parent: bool = False

    __slots__ = (
        "_context",
        "_started_ns",
        "attributes",
        "end_ns",
        "events",
        "kind",
        "links",
        "name",
        "owner",
        "parent_span_id",
        "sampled",
        "scope",
        "span_id",
        "start_ns",
        "state",
        "status",
        "status_message",
        "trace_id",
        "undecided",
    )

    def __init__(  # noqa: PLR0913 - a span has so many parts from its start
        self,
        owner: SpanOwner,
        name: str,
        kind: SpanKind,
        trace_id: int,
        span_id: int,
        parent_span_id: int = 0,
        sampled: bool = True,
        state: TraceState | None = None,
        scope: Scope = SCOPE,
        start_ns: int = 0,
    ) -> None:
        self.owner = owner
        self.name = name
        self.kind = kind
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_span_id = parent_span_id
        self.sampled = sampled
        self.undecided: Undecided | None = None
        self.state = state
        self.scope = scope
        self.attributes: Mapping[str, Any] = NOTHING
        # With how many of their attributes were too many.
        self.events: Sequence[tuple[str, int, Mapping[str, Any], int]] = ()
        self.links: Sequence[tuple[SpanContext, Mapping[str, Any], int]] = ()
        self.status = UNSET
        self.status_message = ""
        self.end_ns = 0
        self._context: SpanContext | None = None
        if start_ns:
            self.start_ns = start_ns
            self._started_ns = 0
            return
        # Taken into a variable first: Python looks for a method elsewhere before it finds these.
        time_ns, monotonic_ns = owner.time_ns, owner.monotonic_ns
        self.start_ns = time_ns()
        self._started_ns = monotonic_ns()

    def become_sampled(self) -> None:
        """Be recorded after all, and let those called from now on know it."""
        self.sampled = True
        self.undecided = None
        self._context = None

    def may_be_recorded(self) -> bool:
        """Return whether the span is recorded, or may be yet."""
        return self.sampled or (self.undecided is not None and self.undecided.kept is not False)

    def is_sampled(self) -> bool:
        """Return whether the span is recorded, now that its trace may have been kept."""
        if self.undecided is not None and self.undecided.kept:
            self.sampled = True
            self._context = None
        return self.sampled

    def get_span_context(self) -> SpanContext:
        if self.undecided is not None:
            self.is_sampled()
        context = self._context
        if context is None:
            flags = SAMPLED if self.sampled else NOT_SAMPLED
            context = SpanContext(self.trace_id, self.span_id, False, flags, self.state)
            self._context = context
        return context

    def is_recording(self) -> bool:
        return not self.end_ns and (self.sampled or self.may_be_recorded())

    def set_attribute(self, key: str, value: Any) -> None:
        if not self.is_recording() or value is None:
            return
        attributes = self.attributes
        try:
            if isinstance(attributes, dict):
                if key in attributes or len(attributes) < self.owner.limits.attributes:
                    attributes[key] = value
                else:
                    self._drop(attributes=1)
            elif self.owner.limits.attributes:
                self.attributes = {key: value}
            else:
                self._drop(attributes=1)
        except TypeError as error:
            self.owner.fault("span", error)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        if not self.is_recording():
            return
        try:
            given = dict(attributes)
            own = self.attributes
            if len(own) + len(given) <= self.owner.limits.attributes and None not in given.values():
                self.attributes = {**own, **given} if own else given
                return
            for key, value in given.items():
                self.set_attribute(key, value)
        except (AttributeError, TypeError, ValueError) as error:
            self.owner.fault("span", error)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        limits = self.owner.limits
        if not self.is_recording():
            return
        if len(self.events) >= limits.events:
            self._drop(events=1)
        else:
            when = timestamp or self.owner.time_ns()
            kept, dropped = self._copied(attributes, limits.event_attributes)
            self.events = (*self.events, (name, when, kept, dropped))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        limits = self.owner.limits
        valid = isinstance(context, SpanContext) and context.is_valid
        if not valid or not self.is_recording():
            return
        if len(self.links) >= limits.links:
            self._drop(links=1)
        else:
            kept, dropped = self._copied(attributes, limits.link_attributes)
            self.links = (*self.links, (context, kept, dropped))

    def update_name(self, name: str) -> None:
        if self.is_recording():
            self.name = name

    def set_status(self, status: Status | OpenStatusCode, description: str | None = None) -> None:
        if not self.is_recording() or self.status is StatusCode.OK:
            return
        if isinstance(status, Status):
            code, text = status.status_code, status.description
        else:
            code, text = status, description
        if code not in (OpenStatusCode.OK, OpenStatusCode.ERROR):
            return
        self.status = _STATUS[code]
        self.status_message = (text or "") if code is OpenStatusCode.ERROR else ""

    def record_exception(
        self,
        exception: BaseException,
        attributes: Any = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        if not self.is_recording():
            return
        try:
            recorded = {
                "exception.type": type_name(exception),
                "exception.message": str(exception),
                "exception.stacktrace": stack_of(exception),
            }
        except Exception as error:  # noqa: BLE001 - an exception may have a broken __str__
            self.owner.fault("span", error)
            recorded = {"exception.type": type_name(exception)}
        self.add_event("exception", recorded | dict(attributes or ()), timestamp)

    def fail(self, error: BaseException) -> None:
        """Record an exception that ended the work, and that it failed."""
        mark_trace(error, self)
        self.record_exception(error)
        self.set_attribute("error.type", type_name(error))
        self.set_status(OpenStatusCode.ERROR, type_name(error))

    def end(self, end_time: int | None = None) -> None:
        if self.end_ns:
            return
        if end_time is not None:
            self.end_ns = end_time
        elif self._started_ns:
            # A clock that is set back must not make a duration negative.
            self.end_ns = self.start_ns + self.owner.monotonic_ns() - self._started_ns
        else:
            self.end_ns = self.owner.time_ns()
        if self.sampled:
            self.owner.on_end(self)
        elif self.undecided is not None:
            self.undecided.ended(self)

    def _drop(self, *, attributes: int = 0, events: int = 0, links: int = 0) -> None:
        before = self.dropped
        self.dropped = (before[0] + attributes, before[1] + events, before[2] + links)

    def _copied(self, attributes: Any, most: int) -> tuple[Mapping[str, Any], int]:
        """Return a copy of what the caller may change yet, at `most` so many, and how many were
        too many; nothing if it is no mapping."""
        try:
            given = dict(attributes or ())
        except (TypeError, ValueError) as error:
            self.owner.fault("span", error)
            return {}, 0
        excess = len(given) - most
        return (dict(islice(given.items(), most)), excess) if excess > 0 else (given, 0)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None and isinstance(error, Exception):
            self.fail(error)
        self.end()


def mark_trace(error: BaseException, span: LiveSpan) -> None:
    """Remember where an exception was raised: whoever logs it later may be outside the span."""
    if not hasattr(error, _TRACE_MARK):
        with suppress(Exception):
            setattr(error, _TRACE_MARK, (span.trace_id, span.span_id, span.is_sampled()))


def trace_of(error: BaseException) -> tuple[int, int, bool]:
    """Return what `mark_trace` left: trace and span id, or zeros, and whether it is sampled."""
    mark: tuple[int, int, bool] = getattr(error, _TRACE_MARK, (0, 0, False))
    return mark


def type_name(error: BaseException) -> str:
    """Return an exception's type as telemetry names it: `ValueError`, `asyncpg.PostgresError`."""
    kind = type(error)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def stack_of(error: BaseException) -> str:
    """Return the traceback, without the exception's message: that is a field of its own."""
    return "".join(traceback.format_tb(error.__traceback__)).rstrip()
