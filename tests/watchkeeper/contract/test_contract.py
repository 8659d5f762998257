import pytest

from watchkeeper.contract import Contract, Counter, Gauge, Histogram, LogEvent, Signals, Span
from watchkeeper.errors import ContractError

REQUESTS = Counter(name="requests_total", help="Requests.")


def contract(**signals):
    return Contract(service="shop", version="1", signals=Signals(**signals))


def test_a_metric_declared_twice_is_refused():
    with pytest.raises(ContractError, match="metric 'requests_total' is declared twice"):
        contract(metrics=(REQUESTS, REQUESTS))


def test_metrics_whose_series_would_collide_are_refused():
    size = Histogram(name="size", help="Size.")
    count = Gauge(name="size_count", help="Collides with the histogram's count.")
    with pytest.raises(ContractError, match="size_count"):
        contract(metrics=(size, count))


def test_spans_and_events_have_names_of_their_own():
    with pytest.raises(ContractError, match="span 'work'"):
        contract(spans=(Span("work", "Work."), Span("work", "More work.")))
    with pytest.raises(ContractError, match="log event 'done'"):
        contract(events=(LogEvent("done", "Done"), LogEvent("done", "Done again")))


def test_signals_add_up():
    both = Signals(metrics=(REQUESTS,)) + Signals(spans=(Span("work", "Work."),))
    assert both == Signals(metrics=(REQUESTS,), spans=(Span("work", "Work."),))


def test_a_sample_leads_back_to_its_metric():
    size = Histogram(name="size", help="Size.")
    declared = contract(metrics=(REQUESTS, size))
    assert declared.metric_of_sample("size_bucket") is size
    assert declared.metric_of_sample("unknown") is None


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [({"log_retention_days": 0}, "log_retention"), ({"trace_sampling_ratio": 1.5}, "trace_sampl")],
)
def test_how_much_is_kept_is_a_possible_amount(declared, wrong):
    with pytest.raises(ContractError, match=wrong):
        Contract(service="shop", version="1", signals=Signals(), **declared)
