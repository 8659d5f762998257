"""What an answered request sends as bytes says the same as its records."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.instrument.answered import AnsweredRequest
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.finish import Finisher
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
from watchkeeper.model import SpanKind, SpanRecord
from watchkeeper.testing import FakeClock, SequentialIds
from watchkeeper.wire import otlp

RESOURCE = {"service.version": "1", "deployment.environment.name": "test"}


def faults() -> Faults:
    return Faults(loud=True)


def observer() -> RequestObserver:
    recording = Recording(FakeClock())
    registry = Registry((), MemoryValues(), recording, faults())
    return RequestObserver(registry, Finisher("shop", RESOURCE, Redactor()))


def span(parent_span_id: int) -> LiveSpan:
    tracing = Tracing(FakeClock(), SequentialIds(), Sampler("always_on"), faults())
    return LiveSpan(
        tracing, "GET", SpanKind.SERVER, 2**127 + 7, 9, parent_span_id=parent_span_id, scope="w"
    )


RECORDS = st.builds(
    RequestRecord,
    span=st.builds(span, st.sampled_from((0, 5))),
    duration_ns=st.integers(0, 10**13),
    method=st.sampled_from(("GET", "POST", "BREW")),
    template=st.sampled_from(("/jobs/{job_id}", "unmatched", "/ä/{x}")),
    path=st.text(max_size=300).map(lambda text: f"/{text}"),
    scheme=st.sampled_from(("http", "https", "ws")),
    client=st.sampled_from(("", "127.0.0.1", "2001:db8::1", "ada@example.org")),
    user_agent=st.text(max_size=300),
    status=st.sampled_from((0, 101, 200, 404, 429, 500)),
    error_type=st.sampled_from(("", "ValueError", "client_disconnected")),
    websocket=st.booleans(),
    quiet=st.just(False),
)


@given(RECORDS)
def test_the_bytes_of_a_request_say_what_its_records_say(record: RequestRecord) -> None:
    sent, line = observer().observe(record)
    assert isinstance(sent, AnsweredRequest)
    assert isinstance(line, AnsweredRequest)
    by_record = otlp.encode_spans([sent.as_span()])
    assert otlp.decode_spans(otlp.encode_spans([sent])) == otlp.decode_spans(by_record)
    by_record = otlp.encode_logs([line.as_log()])
    assert otlp.decode_logs(otlp.encode_logs([line])) == otlp.decode_logs(by_record)
    assert orjson.loads(line.line()) == orjson.loads(encode_line(line.as_log()))


def test_a_span_that_the_service_gave_more_is_a_record_with_all_of_it() -> None:
    live = span(0)
    live.set_attribute("job.id", "42")
    record = RequestRecord(live, 1, "GET", "/", "/", "http", "", "", 200, "", False)
    sent, _ = observer().observe(record)
    assert isinstance(sent, SpanRecord)
    assert sent.attributes["job.id"] == "42"
    assert sent.attributes["http.route"] == "/"


@pytest.mark.parametrize("secret", ["ada@example.org", "4111111111111111"])
def test_nothing_that_a_client_wrote_leaves_unseen(secret: str) -> None:
    path, agent = f"/find/{secret}", f"agent {secret}"
    record = RequestRecord(
        span(0), 1, "GET", "/find/{what}", path, "http", secret, agent, 200, "", False
    )
    sent, line = observer().observe(record)
    assert isinstance(sent, AnsweredRequest)
    assert isinstance(line, AnsweredRequest)
    leaving = otlp.encode_spans([sent]) + otlp.encode_logs([line]) + line.line()
    assert secret.encode() not in leaving
