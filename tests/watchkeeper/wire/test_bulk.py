"""Bulk requests and the documents in them: read as their senders mean them."""

import contextlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.errors import DecodeError
from watchkeeper.instrument.log_line import encode_line
from watchkeeper.model import LogRecord, Severity
from watchkeeper.wire.bulk import read_bulk
from watchkeeper.wire.log_document import read_document, read_time

NOW_NS = 1_700_000_000_000_000_000


def lines(*documents):
    return b"".join(orjson.dumps(document) + b"\n" for document in documents)


def read(document):
    return read_document(document, now_ns=NOW_NS, service="logs")


def test_each_action_has_its_document():
    items = read_bulk(
        lines({"create": {"_index": "shop"}}, {"a": 1}, {"index": {"_id": "7"}}, {"a": 2}), "web"
    )
    assert [(item.action, item.index, item.id, item.document) for item in items] == [
        ("create", "shop", "", {"a": 1}),
        ("index", "web", "7", {"a": 2}),
    ]


def test_what_cannot_be_added_is_said_item_by_item():
    body = lines({"delete": {"_id": "1"}}, {"update": {"_id": "2"}}, {"doc": {}})
    body += lines({"create": {}}) + b"[1]\n" + lines({"create": {}}, {"a": 1})
    items = read_bulk(body, "web")
    assert [bool(item.problem) for item in items] == [True, True, True, False]


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense\n",
        b'{"create":{}}\n',
        b'{"create":{}}\n{}\n{"create":{}}\n',
        b'{"create":{},"index":{}}\n',
    ],
)
def test_a_body_that_cannot_be_followed_is_refused(body):
    with pytest.raises(DecodeError):
        read_bulk(body, "web")


@given(st.binary(max_size=80) | st.text(max_size=40).map(str.encode))
def test_garbage_is_a_decode_error_and_nothing_else(body):
    with contextlib.suppress(DecodeError):
        read_bulk(body, "web")


def test_our_own_lines_are_read_back_as_they_were_written():
    record = LogRecord(
        NOW_NS + 5,
        Severity.ERROR,
        "no database",
        "api",
        logger="jobs",
        trace_id="ab" * 16,
        span_id="cd" * 8,
        attributes={"event": "job_failed", "tries": 3, "exception.type": "OSError"},
        resource={"service.version": "1.2", "deployment.environment.name": "test"},
    )
    assert read(orjson.loads(encode_line(record))) == record


def test_the_words_of_filebeat_are_understood():
    record = read(
        {
            "@timestamp": "2023-11-14T22:13:20.123Z",
            "message": "sold",
            "log": {"level": "warn", "file": {"path": "/var/log/shop.log"}},
            "service": {"name": "shop"},
            "trace": {"id": "AB" * 16},
            "span": {"id": "cd" * 8},
            "tags": ["a", "b"],
        }
    )
    assert (record.timestamp_ns, record.severity) == (NOW_NS + 123_000_000, Severity.WARNING)
    assert (record.message, record.service) == ("sold", "shop")
    assert (record.trace_id, record.span_id) == ("ab" * 16, "cd" * 8)
    assert record.attributes == {"log.file.path": "/var/log/shop.log", "tags": ("a", "b")}


def test_what_a_document_does_not_say_is_assumed():
    record = read({"shelf": 3, "trace_id": "not one"})
    assert (record.timestamp_ns, record.service) == (NOW_NS, "logs")
    assert record.attributes == {"shelf": 3, "trace_id": "not one"}


def test_of_several_fields_that_may_mean_the_same_the_first_does():
    record = read(
        {"msg": "other", "message": "sold", "severity": "error", "level": "warn", "trace.id": "x"}
        | {"trace_id": "AB" * 16, "version": 7, "environment": "", "exception": {"stack": "at"}}
    )
    assert (record.message, record.severity) == ("sold", Severity.WARNING)
    assert (record.trace_id, record.resource) == ("ab" * 16, {})
    assert record.attributes == {
        "msg": "other",
        "severity": "error",
        "trace.id": "x",
        "version": 7,
        "exception.stacktrace": "at",
    }


@pytest.mark.parametrize(
    ("written", "after_ns"),
    [
        ("2023-11-14T22:13:20Z", 0),
        ("2023-11-14 22:13:20,5", 500_000_000),
        ("2023-11-15T00:13:20.000000001+02:00", 1),
        (1_700_000_000_000, 0),
        ("1700000000000", 0),
    ],
)
def test_times_are_read_as_they_are_usually_written(written, after_ns):
    assert read_time(written) == NOW_NS + after_ns


@pytest.mark.parametrize(
    "written", ["yesterday", "2023-13-01T00:00:00Z", True, [1], -1, "9" * 5_000, "9" * 20]
)
def test_a_time_that_is_none_is_refused(written):
    with pytest.raises(DecodeError):
        read_time(written)


pieces = st.sampled_from(
    [b'{"create":{}}', b'{"index":{"_id":"7"}}', b'{"delete":{}}', b'{"a":1}', b"[1]", b"nonsense"]
)


@given(pieces, st.lists(pieces, max_size=6), st.sampled_from(["", "web"]))
def test_documents_of_one_action_are_read_like_those_of_several(action, documents, index):
    body = b"".join(action + b"\n" + document + b"\n" for document in documents)
    other = b'{"create":{"_index":"last"}}\n{}\n'
    try:
        *expected, _ = read_bulk(body + other, index)
    except DecodeError:
        with pytest.raises(DecodeError):
            read_bulk(body, index)
    else:
        assert read_bulk(body, index) == expected
