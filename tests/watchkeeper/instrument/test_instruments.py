"""Instruments count what they are told, by declared labels only, and never harm the service."""

from __future__ import annotations

import logging
import sys
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper import Contract, ContractError, Counter, Label, Settings, Signals, Telemetry
from watchkeeper.conventions import telemetry as own
from watchkeeper.instrument.registry import Family
from watchkeeper.testing import Captured


def quiet(contract: Contract) -> Telemetry:
    """A telemetry as in production: faults are counted, not raised."""
    return Telemetry(contract, Settings(background=False, log="off"))


def read(telemetry: Telemetry) -> str:
    return telemetry.exposition()[0].decode()


def test_closed_labels_begin_at_zero(seen: Captured) -> None:
    text = read(seen.telemetry)
    assert 'ended_total{outcome="good"} 0' in text
    assert 'ended_total{outcome="bad"} 0' in text
    assert "visits_total{" not in text


def test_a_counter_counts_by_its_labels(seen: Captured, door: SimpleNamespace) -> None:
    counter = seen.telemetry.counter(door.ended)
    counter.inc(outcome="good")
    counter.inc(2.5, outcome="bad")
    counter.labels(outcome="bad").inc()
    assert seen.value(door.ended, outcome="good") == 1
    assert seen.value(door.ended, outcome="bad") == 3.5


def test_a_counter_refuses_to_fall(seen: Captured, door: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="only grows"):
        seen.telemetry.counter(door.ended).inc(-1, outcome="good")


def test_a_gauge_goes_up_and_down_and_follows(seen: Captured, door: SimpleNamespace) -> None:
    gauge = seen.telemetry.gauge(door.open)
    gauge.set(3)
    gauge.inc()
    gauge.dec(2)
    assert seen.value(door.open) == 2
    gauge.follow(lambda: 7.5)
    assert "open_doors 7.5" in read(seen.telemetry)


def test_a_gauge_that_nobody_set_is_absent_unless_it_is_a_sum(seen: Captured) -> None:
    text = read(seen.telemetry)
    assert "\nopen_doors 0\n" in text
    assert "\nnewest_version" not in text
    assert "\nhighest_water" not in text


def test_a_histogram_counts_into_buckets(seen: Captured, door: SimpleNamespace) -> None:
    histogram = seen.telemetry.histogram(door.duration)
    for value in (0.05, 0.1, 0.5, 20):
        histogram.observe(value)
    with histogram.time():
        seen.clock.advance(0.25)
    text = read(seen.telemetry)
    assert 'work_duration_seconds_bucket{le="0.1"} 2' in text
    assert 'work_duration_seconds_bucket{le="1.0"} 4' in text
    assert 'work_duration_seconds_bucket{le="+Inf"} 5' in text
    assert "work_duration_seconds_count 5" in text
    assert seen.total(door.duration) == pytest.approx(20.9)


def test_a_timer_also_counts_what_fails(seen: Captured, door: SimpleNamespace) -> None:
    def fail() -> None:
        with seen.telemetry.summary(door.reading).time():
            seen.clock.advance(2)
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - raised just above
        fail()
    assert seen.total(door.reading) == 2
    assert seen.value(door.reading) == 1


def test_an_unknown_label_is_loud_in_a_test(seen: Captured, door: SimpleNamespace) -> None:
    with pytest.raises(ContractError, match=r"ended_total has the labels: outcome; .*: colour"):
        seen.telemetry.counter(door.ended).inc(colour="red")


def test_an_unknown_label_is_a_counted_fault_in_production(
    door: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry = quiet(door.contract)
    with caplog.at_level(logging.ERROR):
        telemetry.counter(door.ended).inc(outcome="good", colour="red")
        telemetry.counter(door.ended).inc(colour="red")
    text = read(telemetry)
    assert 'ended_total{outcome="good"} 1' in text
    assert 'ended_total{outcome="other"} 1' in text
    assert 'telemetry_faults_total{where="labels"} 2' in text
    assert len(caplog.records) == 1


def test_an_undeclared_metric_is_loud_in_a_test_and_harmless_in_production(
    seen: Captured, door: SimpleNamespace
) -> None:
    stranger = Counter(name="stranger_total", help="Not declared.")
    with pytest.raises(ContractError, match="stranger_total: not in the contract"):
        seen.telemetry.counter(stranger)
    telemetry = quiet(door.contract)
    telemetry.counter(stranger).inc()
    assert "stranger" not in read(telemetry)


def test_an_undeclared_value_folds_and_is_counted(seen: Captured, door: SimpleNamespace) -> None:
    seen.telemetry.counter(door.ended).inc(outcome="ugly")
    assert seen.value(door.ended, outcome="other") == 1
    assert seen.value(own.FOLDED, metric="ended_total", label="outcome") == 1


def test_surplus_values_fold_into_other(seen: Captured, door: SimpleNamespace) -> None:
    for page in ("a", "b", "c", "d", "a"):
        seen.telemetry.counter(door.visits).inc(page=page)
    assert seen.value(door.visits, page="a") == 2
    assert seen.value(door.visits, page="b") == 1
    assert seen.value(door.visits, page="other") == 2
    assert seen.value(own.FOLDED, metric="visits_total", label="page") == 2


def test_a_metric_has_a_limit_of_series_whatever_its_labels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules[Family.__module__], "MOST_SERIES", 3)
    wide = Counter(name="wide_total", help="Wide.", labels=(Label("a"), Label("b")))
    telemetry = quiet(Contract(service="s", version="1", signals=Signals(metrics=(wide,))))
    for number in range(10):
        telemetry.counter(wide).inc(a=number, b=number)
    family = telemetry.registry.find(wide)
    assert family is not None
    assert len(family.series) == 4
    assert ("other", "other") in family.series


def test_a_status_code_may_be_given_as_a_number(seen: Captured, door: SimpleNamespace) -> None:
    seen.telemetry.counter(door.visits).inc(page=200)
    assert seen.value(door.visits, page="200") == 1


def test_threads_lose_no_count(seen: Captured, door: SimpleNamespace) -> None:
    class Interruptible(list[float]):
        """Cells between whose reading and writing another thread may run."""

        def __getitem__(self, index: object) -> object:
            value = list.__getitem__(self, index)  # type: ignore[call-overload] # passed on
            return value + 0 if isinstance(value, float) else value

    child = seen.telemetry.counter(door.ended).labels(outcome="good")
    child.cells = Interruptible([0.0])  # type: ignore[assignment] # as a memoryview
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def count() -> None:
        for _ in range(5000):
            child.inc()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert seen.value(door.ended, outcome="good") == 20_000


def test_an_observation_in_a_trace_leaves_an_exemplar(
    seen: Captured, door: SimpleNamespace
) -> None:
    with seen.telemetry.span(door.work):
        seen.telemetry.histogram(door.duration).observe(0.5)
        seen.telemetry.counter(door.ended).inc(outcome="good")
    body, _ = seen.telemetry.exposition("application/openmetrics-text")
    trace_id = f"{1:032x}"
    assert f'le="1.0"}} 1 # {{trace_id="{trace_id}"}} 0.5' in body.decode()
    assert f'outcome="good"}} 1 # {{trace_id="{trace_id}"}} 1' in body.decode()


@given(pages=st.lists(st.text(), max_size=20), amount=st.floats(0, 1e12))
def test_whatever_a_label_holds_the_exposition_parses(pages: list[str], amount: float) -> None:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    visits = Counter(name="visits_total", help="Visits.", labels=(Label("page", limit=5),))
    telemetry = quiet(Contract(service="s", version="1", signals=Signals(metrics=(visits,))))
    for page in pages:
        telemetry.counter(visits).inc(amount, page=page)
    body, _ = telemetry.exposition("application/openmetrics-text")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    total = sum(sample.value for sample in families["visits"].samples)
    assert total == pytest.approx(amount * len(pages))
