"""What a line sends as bytes says the same as its record."""

from __future__ import annotations

from itertools import chain
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from watchkeeper import Severity
from watchkeeper.instrument.finish import Finisher
from watchkeeper.instrument.leaving import Leaving
from watchkeeper.instrument.lines import Lines
from watchkeeper.instrument.log_line import encode_line
from watchkeeper.instrument.records import PendingLog
from watchkeeper.instrument.redaction import Redactor
from watchkeeper.wire import otlp
from watchkeeper.wire.otlp_encode import encode_request

RESOURCE = {"service.version": "1", "deployment.environment.name": "test"}
TIME_NS = 1_767_323_045_000_000_007


def line(message: str = "order paid", trace_id: int = 0, **fields: Any) -> PendingLog:
    return (TIME_NS, Severity.INFO.value, "orders", message, fields, trace_id, trace_id, True, None)


def sent(
    *lines: PendingLog,
    observed: bool = False,
    redactor: Redactor | None = None,
    longest_field: int | None = None,
) -> Leaving:
    leaving = Leaving(lines=True, spans=True, logs=True, observed=observed)
    finisher = Finisher("shop", RESOURCE, redactor or Redactor(), longest_field=longest_field)
    leave = Lines(finisher).leave
    for each in lines:
        leave(each, leaving)
    return leaving


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["ada@example.org", "B4", "x" * 3000]),
    st.lists(st.integers(0, 9)),
)
NAMES = st.sampled_from(["step", "message", "trace_id", "api_key", "exception.type", "shelf", "ä"])
LINES = st.builds(
    lambda message, trace_id, sampled, fields: (
        TIME_NS, Severity.ERROR.value, "orders", message, fields,
        trace_id, trace_id % 2**64, sampled, None,
    ),
    st.text(max_size=300) | st.sampled_from(["order of ada@example.org", "paid"]),
    st.sampled_from([0, 7, 2**127 + 9]),
    st.booleans(),
    st.dictionaries(NAMES, VALUES),
)  # fmt: skip


def flags_of(body: bytes) -> list[int]:
    """What the official library reads of records that are of a span."""
    request = ExportLogsServiceRequest.FromString(body)
    [scope] = request.resource_logs[0].scope_logs
    return [record.flags for record in scope.log_records if record.trace_id]


@given(st.lists(LINES, min_size=1, max_size=6))
def test_the_bytes_of_lines_say_what_their_records_say(lines: list[PendingLog]) -> None:
    leaving, observed = sent(*lines), sent(*lines, observed=True)
    body = encode_request("shop", RESOURCE, leaving.logs)
    assert otlp.decode_logs(body) == otlp.decode_logs(otlp.encode_logs(observed.log_records))
    in_spans = [record for record in observed.log_records if record.trace_id]
    assert flags_of(body) == [int(record.sampled) for record in in_spans]
    by_record = [orjson.loads(encode_line(record)) for record in observed.log_records]
    assert [orjson.loads(written) for written in leaving.lines] == by_record


def test_fields_are_cut_to_the_limit_of_lines() -> None:
    [written] = sent(line(step="ab" * 50), longest_field=3).lines
    assert orjson.loads(written)["step"] == "aba"


def test_lines_that_are_alike_keep_their_own_span_and_fields() -> None:
    lines = sent(line(trace_id=7, step=1), line(trace_id=8, step=2), line(step=True)).lines
    told = [orjson.loads(written) for written in lines]
    assert [each.get("trace_id", "")[-1:] for each in told] == ["7", "8", ""]
    assert [each["step"] for each in told] == [1, 2, True]


def test_what_is_removed_is_removed_and_counted_every_time() -> None:
    redactor = Redactor()
    secret = line("order of ada@example.org", api_key=None, card="4111111111111111")
    leaving = sent(secret, secret, line(api_key="sesame"), redactor=redactor)
    written = b"".join(chain(leaving.lines, *leaving.logs.values()))
    assert all(word not in written for word in (b"ada@", b"4111", b"sesame"))
    assert redactor.removed == {"email": 2, "card": 2, "token": 1}
