"""A request's record becomes its metrics, its span and its access line.

Only what a client can write is looked through for personal data: the path, its address, which a
proxy's header may have given, and the user agent.
"""

from __future__ import annotations

from watchkeeper.conventions import http
from watchkeeper.instrument.answered import ACCESS_LOGGER, AnsweredRequest, Frame, Visitor
from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.leaving import Leaving
from watchkeeper.instrument.observation import DISCONNECTED
from watchkeeper.instrument.paths import Paths
from watchkeeper.instrument.records import RequestSpan
from watchkeeper.instrument.registry import Registry
from watchkeeper.instrument.series import CounterSeries, HistogramSeries, Sighting
from watchkeeper.instrument.span import SCOPE, UNSET
from watchkeeper.model import AttributeValue, Severity, StatusCode

_MOST_REMEMBERED = 4096
_NOTEWORTHY = frozenset((429, 499))
"""Statuses below 500 that an operator should see among the warnings."""


class Kind:
    """Requests of one method, template, status, scheme and error: their series, their frame.

    They are counted together, a batch at a time.
    """

    __slots__ = ("_counter", "_histogram", "frame", "sightings")

    def __init__(self, registry: Registry, finisher: Finisher, request: RequestSpan) -> None:
        self.frame = _frame(finisher, request)
        self.sightings: list[Sighting] = []
        labels = {"method": request.method, "endpoint": request.template}
        self._counter: CounterSeries | None = None
        self._histogram: HistogramSeries | None = None
        requests = registry.find(http.REQUESTS)
        if requests is not None:
            counter = requests.resolve({**labels, "status_code": str(request.status_code)})
            self._counter = counter if isinstance(counter, CounterSeries) else None
        durations = registry.find(http.REQUEST_DURATION)
        if durations is not None and not request.websocket:
            histogram = durations.resolve(labels)
            self._histogram = histogram if isinstance(histogram, HistogramSeries) else None

    def count(self) -> None:
        """Count those that were sighted since the last time."""
        sightings, self.sightings = self.sightings, []
        if self._counter is not None:
            trace_id, _, time_ns = next(
                (sighting for sighting in reversed(sightings) if sighting[0]), sightings[-1]
            )
            self._counter.inc(len(sightings), trace_id=trace_id, time_ns=time_ns)
        if self._histogram is not None:
            self._histogram.observe_all(sightings)


class RequestObserver:
    """Turns requests that were answered, in the pump; `count` ends a batch."""

    def __init__(self, registry: Registry, finisher: Finisher) -> None:
        self._registry = registry
        self._finisher = finisher
        self._paths = Paths(finisher.clean)
        self._kinds: dict[tuple[str, str, int, str, str, bool], Kind] = {}
        self._sighted: list[Kind] = []
        self._visitors: dict[tuple[str, bytes], Visitor] = {}

    def observe(self, request: RequestSpan, leaving: Leaving) -> None:
        """Sight the request; let its span leave, if it is recorded, and its access line, unless
        the request is a quiet one."""
        kind = self._kind(request)
        path = self._paths.clean(request.path)
        answered = AnsweredRequest(request, kind.frame, self._visitor(request), path)
        end_ns = request.end_ns
        if not kind.sightings:
            self._sighted.append(kind)
        trace_id = answered.trace_id.hex() if request.sampled else ""
        kind.sightings.append((trace_id, (end_ns - request.start_ns) / 1e9, end_ns))
        if request.quiet:
            return
        if leaving.wants_lines:
            leaving.lines.append(answered.line())
        if leaving.wants_logs:
            leaving.logs.append((ACCESS_LOGGER, answered.log_message()))
        if leaving.observed:
            leaving.log_records.append(answered.as_log())
        if not request.sampled:
            return
        if (
            leaving.observed
            or request.attributes
            or request.events
            or request.links
            or request.status is not UNSET
            or self._finisher.longest_value is not None
        ):
            leaving.add_span(answered.as_span())
        elif leaving.wants_spans:
            leaving.spans.append((SCOPE, answered.span_message()))

    def count(self) -> None:
        """Count everything that was sighted."""
        sighted, self._sighted = self._sighted, []
        for kind in sighted:
            kind.count()

    def _kind(self, request: RequestSpan) -> Kind:
        key = (
            request.method,
            request.template,
            request.status_code,
            request.scheme,
            request.error_type,
            request.websocket,
        )
        kind = self._kinds.get(key)
        if kind is None:
            kind = Kind(self._registry, self._finisher, request)
            # Templates and statuses are few; methods are whatever a client sends.
            if len(self._kinds) < _MOST_REMEMBERED:
                self._kinds[key] = kind
        return kind

    def _visitor(self, request: RequestSpan) -> Visitor:
        key = (request.client, request.user_agent)
        visitor = self._visitors.get(key)
        if visitor is None:
            clean = self._finisher.clean
            agent = request.user_agent.decode("latin-1")
            visitor = Visitor(clean(request.client), clean(agent))
            # What was cleaned is not remembered: every removal counts.
            if visitor.client == request.client and visitor.user_agent == agent:
                if len(self._visitors) >= _MOST_REMEMBERED:
                    self._visitors.clear()
                self._visitors[key] = visitor
        return visitor


def _frame(finisher: Finisher, request: RequestSpan) -> Frame:
    # A client may send any word as its method: OpenTelemetry names such a span HTTP.
    known = request.method in http.METHOD.values
    method = request.method if known else finisher.clean(request.method)
    severity = Severity.WARNING if request.status_code in _NOTEWORTHY else Severity.INFO
    failed = request.status_code >= 500
    if request.error_type and request.error_type != DISCONNECTED:
        severity = Severity.ERROR
    attributes: dict[str, AttributeValue] = {
        "http.request.method": method if known else "_OTHER",
        "url.scheme": request.scheme,
    }
    if not known:
        attributes["http.request.method_original"] = method
    fields: dict[str, AttributeValue] = {
        "method": method,
        "endpoint": request.template,
        "status_code": request.status_code,
    }
    if request.template != http.UNMATCHED:
        attributes["http.route"] = request.template
    if request.status_code:
        attributes["http.response.status_code"] = request.status_code
    if request.error_type:
        attributes["error.type"] = request.error_type
        fields["error_type"] = request.error_type
    return Frame(
        finisher,
        f"{request.method if known else 'HTTP'} {request.template}",
        StatusCode.ERROR if failed else StatusCode.UNSET,
        Severity.ERROR if failed else severity,
        attributes,
        fields,
    )
