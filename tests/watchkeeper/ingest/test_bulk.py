"""Documents in bulk are stored, and each is told what became of it."""

import orjson
import pytest

from watchkeeper.ingest import IngestLimits, Quotas, Refusal, Signal
from watchkeeper.ingest.bulk import BulkReceiver
from watchkeeper.ingest.limits import TenantLimits

CREATE = {"create": {}}


class RememberingStore:
    def __init__(self):
        self.records = []

    def append(self, records):
        self.records += records


@pytest.fixture
def logs():
    return RememberingStore()


@pytest.fixture
def receiver(logs, clock):
    limits = TenantLimits(attributes=2, attribute_length=20)
    return BulkReceiver(logs, clock=clock, quotas=Quotas(IngestLimits(default=limits)))


def body_of(*documents):
    lines = [line for document in documents for line in (CREATE, document)]
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


def test_each_document_is_kept_or_told_why_not(receiver, logs):
    documents = ({"a": 1}, {"@timestamp": "yesterday"}, {"a": 1, "b": 2, "c": 3})
    results = receiver.receive(body_of(*documents), index="shop")
    assert [result.problem for result in results] == [
        "",
        "'yesterday' is not a time: write 2026-01-02T03:04:05.123Z",
        "3 attributes, 2 are allowed",
    ]
    assert [record.attributes for record in logs.records] == [{"a": 1}]
    assert receiver.statistics().received == {Signal.LOGS: 1}
    refused = receiver.statistics().refused
    assert refused[Signal.LOGS, Refusal.ATTRIBUTE_LIMIT] == 1
    assert refused[Signal.LOGS, Refusal.MALFORMED] == 1


def test_a_value_that_is_too_long_is_told_of_and_a_long_message_is_none(receiver, logs):
    documents = ({"a": "x" * 21}, {"message": "x" * 21, "a": "x" * 20})
    first, second = receiver.receive(body_of(*documents), index="shop")
    assert "longer than 20 characters" in first.problem
    assert (second.problem, len(logs.records)) == ("", 1)


def test_documents_get_a_name_of_their_own_unless_they_have_one(receiver):
    body = body_of({}) + orjson.dumps({"index": {"_id": "7", "_index": "web"}}) + b"\n{}\n"
    first, second = receiver.receive(body, index="shop")
    assert (first.action, first.index, bool(first.id)) == ("create", "shop", True)
    assert (second.action, second.index, second.id) == ("index", "web", "7")


def test_many_documents_are_kept_in_their_order_and_each_is_told_so(receiver, logs):
    documents = [
        {"message": f"line {number}"} | ({"a": 1} if number % 2 else {}) for number in range(40)
    ]
    results = receiver.receive(body_of(*documents), index="shop")
    assert {(result.index, result.problem) for result in results} == {("shop", "")}
    assert len({result.id for result in results}) == 40
    assert [record.message for record in logs.records] == [f"line {n}" for n in range(40)]
    assert {record.service for record in logs.records} == {"shop"}
    assert receiver.statistics().received == {Signal.LOGS: 40}


def test_of_many_documents_those_beyond_a_limit_are_left_out_alone(receiver, logs):
    documents = [{"a": "x" * (10 + number)} for number in range(40)]
    results = receiver.receive(body_of(*documents), index="shop")
    assert [not result.problem for result in results] == [number <= 10 for number in range(40)]
    assert len(logs.records) == 11
