import pytest

from watchkeeper.contract import Counter, Gauge, Histogram, Label, Summary
from watchkeeper.errors import ContractError


def test_a_counter_must_say_that_it_counts():
    with pytest.raises(ContractError, match="end in _total"):
        Counter(name="requests", help="Requests.")


def test_a_metric_must_say_what_it_measures():
    with pytest.raises(ContractError, match="say in `help`"):
        Gauge(name="depth", help="")


def test_a_name_that_prometheus_would_refuse_is_refused():
    with pytest.raises(ContractError, match="not a Prometheus metric name"):
        Gauge(name="queue depth", help="Depth.")


def test_a_label_declared_twice_is_refused():
    with pytest.raises(ContractError, match="declared twice"):
        Gauge(name="depth", help="Depth.", labels=(Label("queue"), Label("queue")))


@pytest.mark.parametrize("buckets", [(), (2.0, 1.0), (1.0, 1.0)])
def test_buckets_must_ascend(buckets):
    with pytest.raises(ContractError, match="ascend"):
        Histogram(name="size_bytes", help="Size.", buckets=buckets)


def test_a_histogram_keeps_le_for_itself():
    with pytest.raises(ContractError, match="its own"):
        Histogram(name="size_bytes", help="Size.", labels=(Label("le"),))


def test_a_histogram_is_seen_as_three_kinds_of_series():
    histogram = Histogram(name="size_bytes", help="Size.")
    assert histogram.sample_names == ("size_bytes_bucket", "size_bytes_count", "size_bytes_sum")


def test_the_worst_case_counts_every_combination_of_labels():
    kind = Label("kind", values=("a", "b"))
    size = Label("size", limit=4)
    assert Counter(name="x_total", help="X.", labels=(kind, size)).most_series == 3 * 5
    assert Summary(name="x", help="X.", labels=(kind,)).most_series == 3 * 2
    assert Histogram(name="x", help="X.", labels=(kind,), buckets=(1, 2)).most_series == 3 * 5
