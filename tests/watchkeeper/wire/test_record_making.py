"""A record that is made fast is the record, and as frozen."""

from dataclasses import FrozenInstanceError

import pytest

from watchkeeper.model import LogRecord, Severity, SpanKind, SpanRecord
from watchkeeper.wire.record_making import maker

SPAN = ("ab" * 16, "cd" * 8, "", "work", SpanKind.INTERNAL, 1, 2, "api")
LOG = (1, Severity.INFO, "sold", "shop")


@pytest.mark.parametrize(("kind", "values"), [(SpanRecord, SPAN), (LogRecord, LOG)])
def test_it_is_equal_to_one_that_is_made_the_usual_way(kind, values):
    made = maker(kind)(*values)
    assert type(made) is kind
    assert made == kind(*values)
    assert repr(made) == repr(kind(*values))
    assert made.attributes is not maker(kind)(*values).attributes


def test_it_does_not_change_any_more():
    made = maker(LogRecord)(*LOG)
    with pytest.raises(FrozenInstanceError):
        made.message = "bought"
