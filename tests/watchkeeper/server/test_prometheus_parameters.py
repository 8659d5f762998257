import orjson
import pytest

from watchkeeper.server.answers import Failure, Refusal
from watchkeeper.server.arguments import Arguments
from watchkeeper.server.prometheus_parameters import (
    data_answer,
    error_answer,
    limit_of,
    matcher_sets,
    range_ms,
    step_range_ms,
    time_ms,
    timeout_seconds,
)

NO_STEP = "zero or negative query resolution step widths are not accepted. Try a positive integer"
TOO_FINE = (
    "exceeded maximum resolution of 11,000 points per timeseries. "
    "Try decreasing the query resolution (?step=XX)"
)


def given(**values: str) -> Arguments:
    return Arguments(values.items())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"start": "x", "end": "2", "step": "1"},
            'invalid parameter "start": cannot parse "x" to a valid timestamp',
        ),
        (
            {"start": "1", "end": "", "step": "1"},
            'invalid parameter "end": cannot parse "" to a valid timestamp',
        ),
        (
            {"start": "2", "end": "1", "step": "1"},
            'invalid parameter "end": end timestamp must not be before start time',
        ),
        (
            {"start": "1", "end": "2", "step": "soon"},
            'invalid parameter "step": cannot parse "soon" to a valid duration',
        ),
        (
            {"start": "1", "end": "2", "step": "0"},
            f'invalid parameter "step": {NO_STEP}',
        ),
        (
            {"start": "0", "end": "11001", "step": "1"},
            TOO_FINE,
        ),
    ],
)
def test_a_range_is_refused_in_prometheus_words(values: dict[str, str], message: str) -> None:
    with pytest.raises(Refusal) as refusal:
        step_range_ms(given(**values))
    assert (refusal.value.status_code, refusal.value.detail) == (400, message)


def test_a_range_takes_seconds_times_and_units() -> None:
    values = {"start": "1970-01-01T00:00:01Z", "end": "61.5", "step": "1m"}
    assert step_range_ms(given(**values)) == (1000, 61_500, 60_000)


def test_metadata_is_asked_of_all_of_time_by_default() -> None:
    start_ms, end_ms = range_ms(given())
    assert start_ms == 0
    assert end_ms > 4_000_000_000_000


def test_a_time_may_have_a_default() -> None:
    assert time_ms(given(), "time", 5) == 5


@pytest.mark.parametrize("text", ["-1", "many"])
def test_a_limit_is_a_number_of_zero_or_more(text: str) -> None:
    with pytest.raises(Refusal, match="limit"):
        limit_of(given(limit=text))


def test_a_query_may_shorten_its_timeout_and_not_lengthen_it() -> None:
    assert timeout_seconds(given(timeout="10s"), 60) == 10
    assert timeout_seconds(given(timeout="1h"), 60) == 60
    assert timeout_seconds(given(), 60) == 60


def test_a_selector_becomes_matchers() -> None:
    ((name, job),) = matcher_sets(Arguments([("match[]", 'up{job=~"a|b"}')]))
    assert (name.name, name.value) == ("__name__", "up")
    assert (job.operator.value, job.value) == ("=~", "a|b")


@pytest.mark.parametrize("text", ["up{", "rate(up[5m])"])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="invalid parameter"):
        matcher_sets(Arguments([("match[]", text)]))


def test_notes_are_there_only_where_there_are_any() -> None:
    assert orjson.loads(bytes(data_answer([1]).body)) == {"status": "success", "data": [1]}
    noted = orjson.loads(bytes(data_answer(b"[]", warnings=["w"], infos=("i",)).body))
    assert (noted["warnings"], noted["infos"]) == (["w"], ["i"])


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("bad_query", 400, "bad_data"),
        ("timeout", 503, "timeout"),
        ("too_expensive", 422, "execution"),
        ("not_found", 404, "not_found"),
        ("overload", 503, "unavailable"),
        ("storage", 500, "internal"),
        ("http", 405, "bad_data"),
    ],
)
def test_a_failure_has_the_type_that_clients_know(code: str, status: int, kind: str) -> None:
    answer = error_answer(Failure(status, code, "why"))
    assert answer.status_code == status
    assert orjson.loads(bytes(answer.body)) == {
        "status": "error",
        "errorType": kind,
        "error": "why",
    }
