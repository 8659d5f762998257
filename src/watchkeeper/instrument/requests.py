"""A request's record becomes its metrics, its span and its access line.

Only what a client can write is looked through for personal data: the path, its address, which a
proxy's header may have given, and the user agent.
"""

from __future__ import annotations

from watchkeeper.conventions import http
from watchkeeper.instrument.answered import Frame, Visitor
from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.leaving import Leaving
from watchkeeper.instrument.observation import DISCONNECTED
from watchkeeper.instrument.paths import Paths
from watchkeeper.instrument.records import Asking, RequestKind, RequestRecord
from watchkeeper.instrument.registry import Registry
from watchkeeper.instrument.series import CounterSeries, HistogramSeries
from watchkeeper.model import AttributeValue, Severity, StatusCode
from watchkeeper.wire.otlp_attributes import encode_text

_MOST_REMEMBERED = 4096
_NOTEWORTHY = frozenset((429, 499))
"""Statuses below 500 that an operator should see among the warnings."""


class Kind:
    """Requests of one method, template, status, scheme and error: their series, their frame.

    They are counted together, a batch at a time.
    """

    __slots__ = ("_counter", "_histogram", "ends_ns", "frame", "seconds", "trace_ids")

    def __init__(self, registry: Registry, finisher: Finisher, kind: RequestKind) -> None:
        method, template, status_code, _, _, websocket = kind
        self.frame = _frame(finisher, kind)
        self.seconds: list[float] = []
        self.trace_ids: list[int] = []
        self.ends_ns: list[int] = []
        labels = {"method": method, "endpoint": template}
        self._counter: CounterSeries | None = None
        self._histogram: HistogramSeries | None = None
        requests = registry.find(http.REQUESTS)
        if requests is not None:
            counter = requests.resolve({**labels, "status_code": str(status_code)})
            self._counter = counter if isinstance(counter, CounterSeries) else None
        durations = registry.find(http.REQUEST_DURATION)
        if durations is not None and not websocket:
            histogram = durations.resolve(labels)
            self._histogram = histogram if isinstance(histogram, HistogramSeries) else None

    def count(self) -> None:
        """Count those that were sighted since the last time."""
        seconds, self.seconds = self.seconds, []
        trace_ids, self.trace_ids = self.trace_ids, []
        ends_ns, self.ends_ns = self.ends_ns, []
        if self._counter is not None:
            newest = len(trace_ids) - 1
            while newest and not trace_ids[newest]:
                newest -= 1
            self._counter.inc(len(seconds), trace_id=trace_ids[newest], time_ns=ends_ns[newest])
        if self._histogram is not None:
            self._histogram.observe_all(seconds, trace_ids, ends_ns)


class RequestObserver:
    """Turns requests that were answered, in the pump; `count` ends a batch."""

    def __init__(self, registry: Registry, finisher: Finisher) -> None:
        self._registry = registry
        self._finisher = finisher
        self._paths = Paths(finisher.clean)
        self._kinds: dict[RequestKind, Kind] = {}
        self._sighted: list[Kind] = []
        self._visitors: dict[Asking, Visitor] = {}

    def observe(self, record: RequestRecord, leaving: Leaving) -> None:
        """Sight the request; let its span leave, if it is recorded, and its access line, unless
        the request is a quiet one."""
        kind_key, visitor_key, asked, trace_id, _, _, start_ns, end_ns, sampled, quiet, span = (
            record
        )
        kind = self._kinds.get(kind_key) or self._new_kind(kind_key)
        visitor = self._visitors.get(visitor_key) or self._new_visitor(visitor_key)
        text = asked.encode("utf-8", "replace")
        path = self._paths.clean(asked, text)
        if path is not asked:
            text = encode_text(path)
        if not kind.seconds:
            self._sighted.append(kind)
        kind.seconds.append((end_ns - start_ns) / 1e9)
        kind.trace_ids.append(trace_id if sampled else 0)
        kind.ends_ns.append(end_ns)
        if quiet:
            return
        frame = kind.frame
        if leaving.observed or span is not None or self._finisher.longest_value is not None:
            frame.leave(record, path, text, visitor, leaving, span=False)
            if sampled:
                leaving.add_span(frame.as_span(record, path, visitor))
            if leaving.observed:
                leaving.log_records.append(frame.as_log(record, path, visitor))
        else:
            frame.leave(record, path, text, visitor, leaving, span=sampled)

    def count(self) -> None:
        """Count everything that was sighted."""
        sighted, self._sighted = self._sighted, []
        for kind in sighted:
            kind.count()

    def _new_kind(self, key: RequestKind) -> Kind:
        kind = Kind(self._registry, self._finisher, key)
        # Templates and statuses are few; methods are whatever a client sends.
        if len(self._kinds) < _MOST_REMEMBERED:
            self._kinds[key] = kind
        return kind

    def _new_visitor(self, key: Asking) -> Visitor:
        client, user_agent = key
        clean = self._finisher.clean
        agent = user_agent.decode("latin-1")
        visitor = Visitor(clean(client), clean(agent))
        # What was cleaned is not remembered: every removal counts.
        if visitor.client == client and visitor.user_agent == agent:
            if len(self._visitors) >= _MOST_REMEMBERED:
                self._visitors.clear()
            self._visitors[key] = visitor
        return visitor


def _frame(finisher: Finisher, kind: RequestKind) -> Frame:
    method, template, status_code, scheme, error_type, _ = kind
    # A client may send any word as its method: OpenTelemetry names such a span HTTP.
    known = method in http.METHOD.values
    named = method if known else finisher.clean(method)
    severity = Severity.WARNING if status_code in _NOTEWORTHY else Severity.INFO
    failed = status_code >= 500
    if error_type and error_type != DISCONNECTED:
        severity = Severity.ERROR
    attributes: dict[str, AttributeValue] = {
        "http.request.method": named if known else "_OTHER",
        "url.scheme": scheme,
    }
    if not known:
        attributes["http.request.method_original"] = named
    fields: dict[str, AttributeValue] = {
        "method": named,
        "endpoint": template,
        "status_code": status_code,
    }
    if template != http.UNMATCHED:
        attributes["http.route"] = template
    if status_code:
        attributes["http.response.status_code"] = status_code
    if error_type:
        attributes["error.type"] = error_type
        fields["error_type"] = error_type
    return Frame(
        finisher,
        f"{method if known else 'HTTP'} {template}",
        StatusCode.ERROR if failed else StatusCode.UNSET,
        Severity.ERROR if failed else severity,
        attributes,
        fields,
    )
