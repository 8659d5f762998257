"""What a log store does, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.watchkeeper.storage.conftest import DAY_NS, START_NS, AnyStore, record

from watchkeeper.model import LogRecord, Severity
from watchkeeper.ports import LogBucket, LogQuery
from watchkeeper.storage import MemoryStore, Store

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def asked(**conditions: Any) -> LogQuery:
    return LogQuery(0, 2**63 - 1, **conditions)


def messages(store: AnyStore, **conditions: Any) -> list[str]:
    return [one.message for one in store.logs.search(asked(**conditions))]


def test_a_record_comes_back_as_it_was(any_store: AnyStore):
    whole = LogRecord(
        START_NS + 1,
        Severity.WARNING,
        'say "no"\n\x00é',
        "api",
        "app.jobs",
        TRACE,
        "00f067aa0ba902b7",
        {"job_id": "j1", "n": 3, "ratio": 0.5, "ok": True, "tags": ("a", "b"), "none": ()},
        {"service.version": "1"},
    )
    any_store.logs.append([whole])
    any_store.settle()
    assert any_store.logs.search(asked()) == [whole]


def test_the_newest_come_first_and_the_limit_is_kept(any_store: AnyStore):
    any_store.logs.append([record(f"{n}", at=n) for n in (3, 1, 2)])
    any_store.settle()
    any_store.logs.append([record(f"{n}", at=n) for n in (0, 4)])
    assert messages(any_store) == ["4", "3", "2", "1", "0"]
    assert messages(any_store, limit=2) == ["4", "3"]
    assert messages(any_store, limit=2, newest_first=False) == ["0", "1"]
    assert messages(any_store, limit=0) == []


def test_records_of_one_moment_keep_their_order(any_store: AnyStore):
    any_store.logs.append([record("first"), record("second")])
    any_store.settle()
    any_store.logs.append([record("third")])
    assert messages(any_store, newest_first=False) == ["first", "second", "third"]
    assert messages(any_store) == ["third", "second", "first"]


def test_old_records_may_come_late_and_new_ones_may_be_cold(any_store: AnyStore):
    day = DAY_NS // 1_000_000_000
    any_store.logs.append([record("today", at=3 * day), record("yesterday", at=2 * day)])
    any_store.settle()
    any_store.logs.append([record("late", at=0)])
    assert messages(any_store, limit=1) == ["today"]
    assert messages(any_store, limit=2) == ["today", "yesterday"]
    assert messages(any_store, limit=1, newest_first=False) == ["late"]


def test_the_range_holds_both_its_ends(any_store: AnyStore):
    any_store.logs.append([record(f"{n}", at=n) for n in range(5)])
    any_store.settle()
    query = LogQuery(START_NS + 1_000_000_000, START_NS + 3_000_000_000)
    assert [one.message for one in any_store.logs.search(query)] == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"words": ("REFUSED",)}, ["connection Refused"]),
        ({"words": ("connection", "closed")}, ["connection closed 100%"]),
        ({"words": ("0%",)}, ["connection closed 100%"]),
        ({"words": ("c_nn",)}, []),
        ({"without_words": ("CONNECTION",)}, ["done"]),
        ({"fields": (("job_id", "42"),)}, ["connection closed 100%", "connection Refused"]),
        ({"fields": (("job_id", "4"),)}, []),
        ({"fields": (("ok", "true"),)}, ["done"]),
        ({"fields": (("ratio", "0.5"),)}, ["done"]),
        ({"fields": (("job.id", "a b"),)}, ["done"]),
        ({"fields": (("text", 'x","job_id":"42'),)}, ["done"]),
        ({"fields": (("service", "worker"),)}, ["connection closed 100%"]),
        ({"fields": (("logger", "app"),)}, ["done"]),
        ({"without_fields": (("job_id", "42"),)}, ["done"]),
        ({"without_fields": (("service", "api"),)}, ["connection closed 100%"]),
        ({"minimum_severity": Severity.WARNING}, ["connection closed 100%"]),
        ({"trace_id": TRACE}, ["done"]),
        ({"fields": (("missing", ""),)}, []),
    ],
)
def test_a_condition_finds(any_store: AnyStore, conditions: dict[str, Any], expected: list[str]):
    any_store.logs.append(
        [
            record("connection Refused", attributes={"job_id": "42"}),
            record(
                "connection closed 100%",
                severity=Severity.ERROR,
                service="worker",
                attributes={"job_id": 42},
                at=1,
            ),
            record(
                "done",
                logger="app",
                trace_id=TRACE,
                at=2,
                attributes={"ok": True, "ratio": 0.5, "job.id": "a b", "text": 'x","job_id":"42'},
            ),
        ]
    )
    any_store.settle()
    assert messages(any_store, **conditions) == expected


def test_the_histogram_counts_by_severity_and_covers_the_range(any_store: AnyStore):
    any_store.logs.append([record(at=n) for n in (0, 1, 9)])
    any_store.settle()
    any_store.logs.append([record(at=5, severity=Severity.ERROR), record(at=10)])
    query = LogQuery(START_NS, START_NS + 10_000_000_000 - 1)
    assert any_store.logs.histogram(query, 2) == [
        LogBucket(START_NS, {Severity.INFO: 2}),
        LogBucket(START_NS + 5_000_000_000, {Severity.INFO: 1, Severity.ERROR: 1}),
    ]


def test_a_histogram_heeds_the_query_and_may_be_of_all_times(any_store: AnyStore):
    any_store.logs.append([record("a"), record("b")])
    any_store.settle()
    buckets = any_store.logs.histogram(asked(words=("a",)), 3)
    assert sum(sum(one.counts.values()) for one in buckets) == 1
    assert len(buckets) == 3


def test_who_follows_is_told_of_what_fulfils_the_query_once_it_is_kept(any_store: AnyStore):
    heard: list[tuple[str, bool]] = []

    def listen(records: Sequence[LogRecord]) -> None:
        kept = any_store.logs.search(asked())
        heard.extend((record.message, record in kept) for record in records)

    query = LogQuery(0, 0, words=("refused",), minimum_severity=Severity.WARNING)
    leave = any_store.logs.follow(query, listen)
    any_store.logs.append([record("refused"), record("Refused", severity=Severity.ERROR)])
    any_store.logs.append([record("all is well", severity=Severity.ERROR)])
    assert heard == [("Refused", True)]
    leave()
    any_store.logs.append([record("refused again", severity=Severity.ERROR)])
    assert heard == [("Refused", True)]


def test_a_follower_that_fails_fails_nobody_else(any_store: AnyStore):
    heard: list[Sequence[LogRecord]] = []
    any_store.logs.follow(asked(), lambda records: 1 / 0)
    any_store.logs.follow(asked(), heard.append)
    any_store.logs.append([record("kept")])
    assert messages(any_store) == ["kept"]
    assert len(heard) == 1


def test_what_json_cannot_hold_becomes_text(any_store: AnyStore):
    odd = {"nan": float("nan"), "big": 2**70, "lone": "\ud800", "nul": "a\x00b"}
    any_store.logs.append([record("\udfff", attributes=odd)])
    any_store.settle()
    (found,) = any_store.logs.search(asked())
    assert found.message == "?"
    assert found.attributes == {"nan": "nan", "big": str(2**70), "lone": "?", "nul": "a\x00b"}


NAMES = st.text(alphabet='ab,:"{}\\[] ', min_size=1, max_size=4)
VALUES = st.one_of(
    st.text(alphabet='ab,:"{}\\[]1', max_size=5),
    st.integers(-9, 9),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(found=st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=1, max_size=6))
def test_every_field_is_found_by_its_text_as_the_reference_finds_it(
    open_store: Callable[..., Store], tmp_path_factory: pytest.TempPathFactory, found: list[Any]
):
    kept = [record(f"{n}", at=n, attributes=one) for n, one in enumerate(found)]
    reference, store = MemoryStore(), Store.open(tmp_path_factory.mktemp("store"))
    try:
        for one in (reference, store):
            one.logs.append(kept)
        for name, value in {(n, v) for one in found for n, v in one.items()}:
            text = value if isinstance(value, str) else repr(value).lower()
            query = asked(fields=((name, text),))
            assert store.logs.search(query) == reference.logs.search(query)
    finally:
        store.close()
