import pytest

from watchkeeper.contract import Contract, Counter, Gauge, Histogram, Label, Signals
from watchkeeper.errors import ConfigError
from watchkeeper.live import Difference, Kind, as_data, as_text, compare
from watchkeeper.live.emitted import emitted
from watchkeeper.wire.exposition import TEXT_CONTENT_TYPE, parse

ORDERS = Counter(
    name="orders_total",
    help="Orders.",
    labels=(Label("outcome", values=("paid", "declined")), Label("city", limit=2)),
)
DEPTH = Gauge(name="depth", help="Depth.", labels=(Label("queue", pattern="[a-z]+"),))
SIZE = Histogram(name="size_bytes", help="Size.", buckets=(1, 2))
SHOP = Contract(service="shop", version="1", signals=Signals(metrics=(ORDERS, DEPTH, SIZE)))
AS_DECLARED = """
# TYPE orders_total counter
orders_total{outcome="paid",city="Ulm"} 1
orders_total{outcome="other",city="other"} 1
# TYPE depth gauge
depth{queue="mail"} 2
# TYPE size_bytes histogram
size_bytes_bucket{le="1"} 1
size_bytes_bucket{le="2"} 1
size_bytes_bucket{le="+Inf"} 1
size_bytes_count 1
size_bytes_sum 1
"""


def differences(exposition: str, **options) -> list[Difference]:
    found = parse(exposition.lstrip().encode(), TEXT_CONTENT_TYPE, 0)
    return compare(SHOP, emitted((dict(one) for one in found.labels), found.metadata), **options)


def test_what_is_as_declared_differs_in_nothing():
    assert differences(AS_DECLARED) == []


@pytest.mark.parametrize(
    ("before", "after", "kind", "words"),
    [
        ('depth{queue="mail"} 2\n', "", Kind.NEVER_SEEN, "depth: no series"),
        (
            "# TYPE depth gauge",
            "# TYPE depth counter",
            Kind.WRONG_TYPE,
            "emitted as counter",
        ),
        ('depth{queue="mail"}', 'depth{queue="mail",x="1"}', Kind.WRONG_LABEL, "depth{x}"),
        ('depth{queue="mail"}', "depth", Kind.WRONG_LABEL, "1 of 1 series are without it"),
        ('queue="mail"', 'queue="Mail"', Kind.UNDECLARED_VALUE, '"Mail"; declared is the pattern'),
        ('outcome="paid"', 'outcome="lost"', Kind.UNDECLARED_VALUE, "declared are paid, declined"),
    ],
)
def test_what_is_otherwise_is_named(before, after, kind, words):
    assert before in AS_DECLARED
    (difference,) = differences(AS_DECLARED.replace(before, after))
    assert difference.kind is kind
    assert words in str(difference)


def test_more_values_than_declared_are_counted():
    more = "".join(f'orders_total{{outcome="paid",city="{city}"}} 1\n' for city in ("Bonn", "Rom"))
    (difference,) = differences(AS_DECLARED.replace("# TYPE depth", f"{more}# TYPE depth"))
    assert str(difference) == (
        "too many values: orders_total{city}: 3 values, at most 2 are declared"
    )


def test_what_nobody_declared_is_named_once_a_family():
    extra = '# TYPE rest histogram\nrest_bucket{le="+Inf"} 1\nrest_count 1\nrest_sum 1\nodd 1\n'
    assert [str(one) for one in differences(AS_DECLARED + extra)] == [
        "undeclared: odd: 1 series of a metric nobody declared",
        "undeclared: rest: 3 series of a metric nobody declared",
    ]
    assert [one.metric for one in differences(AS_DECLARED + extra, ignored="rest.*")] == ["odd"]


def test_a_pattern_that_is_none_is_told():
    with pytest.raises(ConfigError, match="is no regular expression"):
        differences(AS_DECLARED, ignored="(")


def test_labels_of_the_target_and_series_of_the_scrape_are_not_the_services():
    series = [
        {"__name__": "up", "job": "shop", "instance": "a", "zone": "b"},
        {"__name__": "depth", "queue": "mail", "job": "shop", "instance": "a", "zone": "b"},
    ]
    found = compare(SHOP, emitted(series, [], of_target=("job", "instance", "zone")))
    assert {one.kind for one in found} == {Kind.NEVER_SEEN}
    assert {one.metric for one in found} == {"orders_total", "size_bytes"}


def test_a_report_begins_with_what_breaks_the_contract():
    found = differences(AS_DECLARED.replace('depth{queue="mail"} 2\n', "odd 1\n"))
    first, second, verdict = as_text(found, 9).splitlines()
    assert first.startswith("undeclared: odd")
    assert second.startswith("never seen: depth")
    assert verdict == "9 series seen: 1 difference from the contract, 1 never seen"
    data = as_data(found, 9)
    assert data["series_seen"] == 9
    assert {one["kind"] for one in data["differences"]} == {"undeclared", "never seen"}
