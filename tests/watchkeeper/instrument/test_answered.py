"""What an answered request sends as bytes says the same as its records."""

from __future__ import annotations

from itertools import chain
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.leaving import Leaving
from watchkeeper.instrument.log_line import encode_line
from watchkeeper.instrument.records import RequestRecord
from watchkeeper.instrument.redaction import Redactor
from watchkeeper.instrument.registry import Registry
from watchkeeper.instrument.requests import RequestObserver
from watchkeeper.instrument.sampling import Sampler
from watchkeeper.instrument.series import Recording
from watchkeeper.instrument.span import LiveSpan
from watchkeeper.instrument.tracing import Tracing
from watchkeeper.instrument.values import MemoryValues
from watchkeeper.model import LogRecord, SpanKind, SpanRecord
from watchkeeper.testing import FakeClock, SequentialIds
from watchkeeper.wire import otlp
from watchkeeper.wire.otlp_encode import Messages, encode_request

RESOURCE = {"service.version": "1", "deployment.environment.name": "test"}


def faults() -> Faults:
    return Faults(loud=True)


def observer() -> RequestObserver:
    recording = Recording(FakeClock(), Faults(loud=True))
    registry = Registry((), MemoryValues(), recording, faults())
    return RequestObserver(registry, Finisher("shop", RESOURCE, Redactor()))


def request(  # noqa: PLR0913 - a request has so many facts
    parent_span_id: int = 0,
    duration_ns: int = 1,
    *,
    method: str = "GET",
    template: str = "/",
    path: str = "/",
    scheme: str = "http",
    client: str = "",
    user_agent: bytes = b"",
    status_code: int = 200,
    error_type: str = "",
    websocket: bool = False,
    span: LiveSpan | None = None,
) -> RequestRecord:
    """A request that was answered: GET / with 200, unless the facts say otherwise."""
    start_ns = FakeClock().time_ns()
    return (
        (method, template, status_code, scheme, error_type, websocket),
        (client, user_agent),
        path,
        2**127 + 7,
        9,
        parent_span_id,
        start_ns,
        start_ns + duration_ns,
        True,
        False,
        span,
    )


def observed(made: RequestRecord, *, records: bool = False) -> Leaving:
    leaving = Leaving(lines=True, spans=True, logs=True, observed=records)
    watching = observer()
    watching.observe(made, leaving)
    watching.count()
    return leaving


REQUESTS = st.builds(
    request,
    parent_span_id=st.sampled_from((0, 5)),
    duration_ns=st.integers(0, 10**13),
    method=st.sampled_from(("GET", "POST", "BREW")),
    template=st.sampled_from(("/jobs/{job_id}", "unmatched", "/ä/{x}")),
    path=st.text(max_size=300).map(lambda text: f"/{text}"),
    scheme=st.sampled_from(("http", "https", "ws")),
    client=st.sampled_from(("", "127.0.0.1", "2001:db8::1", "ada@example.org")),
    user_agent=st.binary(max_size=300),
    status_code=st.sampled_from((0, 101, 200, 404, 429, 500)),
    error_type=st.sampled_from(("", "ValueError", "client_disconnected")),
    websocket=st.booleans(),
)


def sent(signal: str, messages: Messages) -> list[SpanRecord] | list[LogRecord]:
    decode = otlp.decode_spans if signal == "spans" else otlp.decode_logs
    return decode(encode_request("shop", RESOURCE, messages))


def official(body: bytes) -> Any:
    """What the official library reads, whatever the order of attributes."""
    request = ExportTraceServiceRequest.FromString(body)
    [group] = request.resource_spans
    for attributes in (group.resource.attributes, group.scope_spans[0].spans[0].attributes):
        attributes.sort(key=lambda each: each.key)
    return request


@given(REQUESTS)
def test_the_bytes_of_a_request_say_what_its_records_say(made: RequestRecord) -> None:
    leaving, records = observed(made), observed(made, records=True)
    [span], [log] = records.span_records, records.log_records
    by_record = otlp.decode_spans(otlp.encode_spans([span]))
    assert sent("spans", leaving.spans) == by_record
    # What is read back as nothing: flags.
    body = encode_request("shop", RESOURCE, leaving.spans)
    assert official(body) == official(otlp.encode_spans([span]))
    assert sent("logs", leaving.logs) == otlp.decode_logs(otlp.encode_logs([log]))
    assert [orjson.loads(line) for line in leaving.lines] == [orjson.loads(encode_line(log))]


@pytest.mark.parametrize("sampled", [True, False])
def test_an_access_line_says_whether_its_span_is_sampled(sampled: bool) -> None:
    made = request()
    made = (*made[:8], sampled, *made[9:])
    of_bytes = encode_request("shop", RESOURCE, observed(made).logs)
    of_records = otlp.encode_logs(observed(made, records=True).log_records)
    for body in (of_bytes, of_records):
        said = ExportLogsServiceRequest.FromString(body)
        assert said.resource_logs[0].scope_logs[0].log_records[0].flags == sampled


def test_a_span_that_the_service_gave_more_leaves_with_all_of_it() -> None:
    tracing = Tracing(FakeClock(), SequentialIds(), Sampler("always_on"), faults())
    given = LiveSpan(tracing, "", SpanKind.SERVER, 2**127 + 7, 9)
    given.set_attribute("job.id", "42")
    [span] = sent("spans", observed(request(span=given)).spans)
    assert isinstance(span, SpanRecord)
    assert span.attributes["job.id"] == "42"
    assert span.attributes["http.route"] == "/"


def test_only_what_somebody_wants_is_made() -> None:
    leaving = Leaving(lines=False, spans=False, logs=False, observed=False)
    observer().observe(request(), leaving)
    assert (leaving.lines, leaving.spans, leaving.logs) == ([], {}, {})
    assert (leaving.span_records, leaving.log_records) == ([], [])


@pytest.mark.parametrize("secret", ["ada@example.org", "4111111111111111"])
def test_nothing_that_a_client_wrote_leaves_unseen(secret: str) -> None:
    leaving = observed(
        request(
            template="/find/{what}",
            path=f"/find/{secret}",
            client=secret,
            user_agent=f"agent {secret}".encode(),
        )
    )
    messages = [*chain(*leaving.spans.values(), *leaving.logs.values())]
    assert secret.encode() not in b"".join((*messages, *leaving.lines))
    assert len(messages) == 2
