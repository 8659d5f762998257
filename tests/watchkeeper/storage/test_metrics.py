"""What a metric store does, whichever it is."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from tests.watchkeeper.storage.conftest import START_MS, AnyStore, samples, series, where

from watchkeeper.errors import QuerySyntaxError
from watchkeeper.model import (
    CounterReset,
    Exemplar,
    Matcher,
    MetricMetadata,
    MetricType,
    NativeHistogram,
)

EVER = (0, 2**62)
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def rows(store: AnyStore, *matchers: Matcher, seconds: tuple[int, int] | None = None):
    """Return [(labels, [(seconds after the start, value)])] of a select."""
    start, end = EVER if seconds is None else (START_MS + 1000 * second for second in seconds)
    return [
        (
            one.labels,
            [
                ((time - START_MS) // 1000, value)
                for time, value in zip(one.timestamps_ms.tolist(), one.values.tolist(), strict=True)
            ],
        )
        for one in store.metrics.select(matchers, start, end)
    ]


def test_samples_come_back_by_series_sorted_and_by_time(any_store: AnyStore):
    first, second = series(job="a"), series(job="b")
    any_store.metrics.append(samples((second, 0, 2.0), (first, 0, 1.0)))
    any_store.settle()
    any_store.metrics.append(samples((first, 15, 1.5), (second, 15, 2.5)))
    assert rows(any_store) == [(first, [(0, 1.0), (15, 1.5)]), (second, [(0, 2.0), (15, 2.5)])]


def test_a_range_holds_both_its_ends_and_series_without_samples_in_it_are_left_out(
    any_store: AnyStore,
):
    for second in range(0, 100, 10):
        any_store.metrics.append(samples((series(), second, second)))
    any_store.metrics.append(samples((series("gone"), 0, 1.0)))
    any_store.settle()
    assert rows(any_store, seconds=(20, 40)) == [(series(), [(20, 20), (30, 30), (40, 40)])]


def test_the_first_of_two_samples_of_one_time_is_kept_and_the_second_counted(any_store: AnyStore):
    assert any_store.metrics.append(samples((series(), 10, 1.0))) == 0
    any_store.settle()
    assert any_store.metrics.append(samples((series(), 10, 2.0))) == 1
    assert any_store.metrics.append(samples((series(), 5, 3.0))) == 1
    assert rows(any_store) == [(series(), [(10, 1.0)])]


def test_the_same_sample_twice_is_passed_over_in_silence(any_store: AnyStore):
    assert any_store.metrics.append(samples((series(), 10, 1.0), (series(), 10, 1.0))) == 0
    assert any_store.metrics.append(samples((series(), 10, 1.0))) == 0
    assert rows(any_store) == [(series(), [(10, 1.0)])]


def test_within_a_batch_each_sample_is_judged_by_those_before_it(any_store: AnyStore):
    batch = samples(
        (series(), 10, 1.0), (series(), 30, 2.0), (series(), 20, 3.0), (series(), 30, 4.0),
        (series(), 40, 5.0), (series("other"), 20, 6.0),
    )  # fmt: skip
    assert any_store.metrics.append(batch) == 2
    assert rows(any_store, where("__name__", "=", "up")) == [
        (series(), [(10, 1.0), (30, 2.0), (40, 5.0)])
    ]


def test_every_bit_of_a_value_is_kept(any_store: AnyStore):
    odd = [STALE, float("nan"), float("inf"), -0.0, 5e-324, 0.1, 1e300, 123.456]
    for second, value in enumerate(odd):
        any_store.metrics.append(samples((series(), second, value)))
    any_store.settle()
    (found,) = any_store.metrics.select([], *EVER)
    assert found.values.view(np.int64).tolist() == np.array(odd).view(np.int64).tolist()


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        (("job", "=", "api"), ["1"]),
        (("job", "=", ""), ["3"]),
        (("job", "!=", "api"), ["2", "3"]),
        (("job", "!=", ""), ["1", "2"]),
        (("job", "=~", "a.*"), ["1"]),
        (("job", "=~", "p"), []),
        (("job", "=~", "api|worker"), ["1", "2"]),
        (("job", "=~", ".*"), ["1", "2", "3"]),
        (("job", "=~", ".+"), ["1", "2"]),
        (("job", "!~", "a.*"), ["2", "3"]),
        (("job", "!~", "(api)?"), ["2"]),
        (("nothing", "=", ""), ["1", "2", "3"]),
        (("nothing", "=", "x"), []),
    ],
)
def test_a_matcher_chooses(any_store: AnyStore, matcher: tuple[str, str, str], expected: list[str]):
    any_store.metrics.append(
        samples(
            (series(n="1", job="api"), 0, 1.0),
            (series(n="2", job="worker"), 0, 1.0),
            (series(n="3"), 0, 1.0),
        )
    )
    any_store.settle()
    found = any_store.metrics.select([where(*matcher)], *EVER)
    assert [dict(one.labels)["n"] for one in found] == expected


def test_all_matchers_must_hold(any_store: AnyStore):
    any_store.metrics.append(
        samples((series(a="1", b="1"), 0, 1.0), (series(a="1", b="2"), 0, 1.0))
    )
    any_store.settle()
    found = any_store.metrics.series([where("a", "=", "1"), where("b", "!=", "1")], *EVER)
    assert found == [series(a="1", b="2")]


def test_a_regular_expression_that_is_none_is_a_syntax_error(any_store: AnyStore):
    any_store.metrics.append(samples((series(job="a"), 0, 1.0)))
    with pytest.raises(QuerySyntaxError, match="error parsing regexp"):
        any_store.metrics.select([where("job", "=~", "(")], *EVER)


def test_label_names_and_values_are_sorted_and_of_matching_series(any_store: AnyStore):
    any_store.metrics.append(
        samples((series(b="2", a="x"), 0, 1.0), (series(b="1"), 0, 1.0), (series("q", c="3"), 0, 1))
    )
    any_store.settle()
    up = [where("__name__", "=", "up")]
    assert any_store.metrics.label_names([], *EVER) == ["__name__", "a", "b", "c"]
    assert any_store.metrics.label_names(up, *EVER) == ["__name__", "a", "b"]
    assert any_store.metrics.label_values("b", [], *EVER) == ["1", "2"]
    assert any_store.metrics.label_values("b", [where("a", "=", "x")], *EVER) == ["2"]
    assert any_store.metrics.label_values("zzz", [], *EVER) == []


def test_the_newest_metadata_of_each_family_is_kept(any_store: AnyStore):
    old = MetricMetadata("up", MetricType.GAUGE, "Old.")
    new = MetricMetadata("up", MetricType.GAUGE, "New.")
    other = MetricMetadata("cpu", MetricType.COUNTER, "CPU.", "seconds")
    any_store.metrics.append(samples(metadata=[old]))
    any_store.metrics.append(samples(metadata=[new, other]))
    any_store.settle()
    assert any_store.metrics.metadata() == [other, new]


def test_exemplars_are_kept_once_by_series_and_time(any_store: AnyStore):
    bucket = series("latency_bucket", le="1")
    seen = [Exemplar((("trace_id", f"{n}"),), n, START_MS + 1000 * n) for n in range(3)]
    any_store.metrics.append(samples((bucket, 0, 1.0), exemplars=[(bucket, seen[0])]))
    any_store.settle()
    any_store.metrics.append(
        samples(exemplars=[(bucket, seen[1]), (bucket, seen[1]), (series("x"), seen[0])])
    )
    any_store.settle()
    any_store.metrics.append(samples(exemplars=[(bucket, seen[2]), (bucket, seen[1])]))
    assert any_store.metrics.exemplars([where("le", "=", "1")], *EVER) == [(bucket, seen)]
    assert any_store.metrics.exemplars([], START_MS, START_MS) == [
        (bucket, seen[:1]), (series("x"), seen[:1])
    ]  # fmt: skip


def test_nothing_matches_in_an_empty_store(any_store: AnyStore):
    assert any_store.metrics.append(samples()) == 0
    any_store.settle()
    assert len(any_store.metrics.select([], *EVER)) == 0
    assert any_store.metrics.metadata() == []
    assert any_store.metrics.exemplars([], *EVER) == []


def test_native_histograms_come_back_beside_floats(any_store: AnyStore):
    first = NativeHistogram(
        schema=2, count=6.0, sum=7.25, zero_threshold=0.001, zero_count=1.0,
        positive={-3: 2.0, 0: 1.0}, negative={4: 2.0}, reset=CounterReset.NOT_RESET,
    )  # fmt: skip
    second = NativeHistogram(
        schema=-53, count=3.0, sum=9.5, positive={0: 3.0}, custom_values=(5.0,)
    )
    other = series("other")
    batch = samples((series(), 0, 7.25), (other, 0, 1.5), histograms=[first, None])
    assert any_store.metrics.append(batch) == 0
    any_store.settle()
    more = samples((series(), 15, 9.5), (other, 15, 2.5), histograms=[second, None])
    assert any_store.metrics.append(more) == 0
    assert any_store.metrics.append(samples((series(), 30, STALE))) == 0
    found = any_store.metrics.select([], *EVER)
    assert [one.labels for one in found] == [other, series()]
    assert found[0].histograms is None or set(found[0].histograms) == {None}
    assert list(found[1].histograms) == [first, second, None]


def test_of_histograms_too_the_first_at_a_time_is_kept(any_store: AnyStore):
    first, second = NativeHistogram(count=1.0, sum=2.0), NativeHistogram(count=2.0, sum=3.0)
    twice = samples((series(), 0, 2.0), (series(), 0, 2.0), histograms=[first, first])
    assert any_store.metrics.append(twice) == 0
    any_store.settle()
    assert any_store.metrics.append(samples((series(), 0, 3.0), histograms=[second])) == 1
    (found,) = any_store.metrics.select([], *EVER)
    assert list(found.histograms) == [first]


def test_starts_of_counters_come_back_and_0_is_not_known(any_store: AnyStore):
    since = np.array([START_MS - 5000, 0], np.int64)
    any_store.metrics.append(
        samples((series(n="1"), 0, 1.0), (series(n="2"), 0, 1.0), starts_ms=since)
    )
    any_store.settle()
    any_store.metrics.append(samples((series(n="1"), 15, 2.0), (series(n="2"), 15, 2.0)))
    one, two = any_store.metrics.select([], *EVER)
    assert one.starts_ms.tolist() == [START_MS - 5000, 0]
    assert two.starts_ms is None or two.starts_ms.tolist() == [0, 0]
