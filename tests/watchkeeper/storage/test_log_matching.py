import pytest

from watchkeeper.model import LogRecord, Severity
from watchkeeper.ports import LogQuery
from watchkeeper.storage.log_matching import fulfils

ALL = LogQuery(0, 0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ALL, True),
        (LogQuery(0, 0, words=("disk", "FULL")), True),
        (LogQuery(0, 0, words=("disk", "empty")), False),
        (LogQuery(0, 0, without_words=("full",)), False),
        (LogQuery(0, 0, fields=(("service", "api"), ("job_id", "7"))), True),
        (LogQuery(0, 0, fields=(("job_id", "8"),)), False),
        (LogQuery(0, 0, fields=(("retried", "true"), ("cost", "0.5"))), True),
        (LogQuery(0, 0, fields=(("retried", "True"),)), False),
        (LogQuery(0, 0, fields=(("span_id", "ab"), ("message", "Disk is full"))), True),
        (LogQuery(0, 0, without_fields=(("span_id", "ab"),)), False),
        (LogQuery(0, 0, without_fields=(("logger", "db"),)), True),
        (LogQuery(0, 0, minimum_severity=Severity.ERROR), False),
        (LogQuery(0, 0, trace_id="ab"), False),
    ],
)
def test_a_record_is_compared_with_every_condition(query: LogQuery, expected: bool) -> None:
    attributes = {"job_id": 7, "retried": True, "cost": 0.5}
    record = LogRecord(1, Severity.INFO, "Disk is full", "api", span_id="ab", attributes=attributes)
    assert fulfils(record, query) is expected
