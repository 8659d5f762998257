"""Limits of tenants and of all of them together: what is taken, what is refused, what is told."""

import pytest

from watchkeeper.errors import ConfigError, OverloadError
from watchkeeper.ingest import IngestLimits, Quotas, Signal, load_limits
from watchkeeper.ingest.limits import SharedLimits, TenantLimits
from watchkeeper.ingest.quota import MOST_COUNTED, OTHER, SERIES_REMEMBERED_SECONDS
from watchkeeper.wire.limits import Limit

SERIES = [(("__name__", f"m{number}"),) for number in range(5)]


@pytest.fixture
def quotas(clock):
    def make(everybody=None, **default):
        limits = IngestLimits(all=everybody or SharedLimits(), default=TenantLimits(**default))
        return Quotas(limits, clock=clock)

    return make


def test_what_exceeds_the_rate_is_owed_and_the_wait_is_told(quotas, clock):
    quota = quotas(spans_per_second=100).of("shop")
    quota.admit(Signal.SPANS, 0)
    quota.take(Signal.SPANS, 500)
    with pytest.raises(OverloadError, match="this tenant sent more spans") as refused:
        quota.admit(Signal.SPANS, 0)
    assert refused.value.retry_after_seconds == pytest.approx(4.0)
    quota.admit(Signal.LOGS, 0)
    clock.advance(4.01)
    quota.admit(Signal.SPANS, 0)


def test_a_tenant_that_was_silent_for_long_has_saved_one_second_and_no_more(quotas, clock):
    quota = quotas(logs_per_second=10).of("shop")
    clock.advance(3600)
    quota.admit(Signal.LOGS, 0)
    quota.take(Signal.LOGS, 30)
    with pytest.raises(OverloadError) as refused:
        quota.admit(Signal.LOGS, 0)
    assert refused.value.retry_after_seconds == pytest.approx(2.0)


def test_tenants_do_not_take_from_each_other_but_all_share_one_limit(quotas):
    made = quotas(SharedLimits(bytes_per_second=1_800), bytes_per_second=600)
    made.of("shop").admit(Signal.LOGS, 1_300)
    with pytest.raises(OverloadError, match="this tenant sent more bytes"):
        made.of("shop").admit(Signal.LOGS, 1)
    made.of("bank").admit(Signal.LOGS, 900)
    with pytest.raises(OverloadError, match="all tenants together"):
        made.of("mill").admit(Signal.LOGS, 1)
    assert made.exceeded() == {("shop", "bytes", "logs"): 1, ("all", "bytes", "logs"): 1}


def test_known_series_go_on_and_new_ones_beyond_the_limit_are_named(quotas, clock):
    made = quotas(series=3)
    quota = made.of("shop")
    assert quota.take_series(SERIES[:3]) == (set(), "")
    surplus, reason = quota.take_series(SERIES[1:])
    assert surplus == set(SERIES[3:])
    assert reason == "this tenant may have no more series: 2 new ones are left out"
    assert made.exceeded() == {("shop", "series", "__name__"): 2}
    for _ in range(2):
        clock.advance(SERIES_REMEMBERED_SECONDS + 1)
        quota.take_series(SERIES[:1])
    assert quota.take_series(SERIES[3:]) == (set(), "")


def test_the_label_that_makes_too_many_series_is_named(quotas):
    made = quotas(series=2)
    users = [(("__name__", "orders"), ("user", f"u{n}"), ("zone", f"z{n % 2}")) for n in range(5)]
    made.of("shop").take_series(users)
    assert made.exceeded() == {("shop", "series", "user"): 3}


def test_series_of_all_tenants_are_counted_together(quotas):
    made = quotas(SharedLimits(series=4))
    made.of("shop").take_series(SERIES[:3])
    surplus, reason = made.of("bank").take_series([(("__name__", "x"),), (("__name__", "y"),)])
    assert len(surplus) == 1
    assert reason.startswith("all tenants")
    assert made.exceeded() == {("all", "series", ""): 1}


def test_a_queue_has_so_many_places_and_gives_them_back(quotas):
    made = quotas(queue=1)
    with (
        made.of("shop").place(),
        made.of("bank").place(),
        pytest.raises(OverloadError, match="1 requests of this tenant"),
        made.of("shop").place(),
    ):
        pass
    with made.of("shop").place():
        pass
    assert made.exceeded() == {("shop", "queue", ""): 1}


def test_labels_of_the_count_are_bounded(quotas):
    made = quotas()
    for number in range(MOST_COUNTED + 5):
        made.of("shop").exceeded(Limit.LABEL_VALUE, f"label_{number}")
    assert len(made.exceeded()) == MOST_COUNTED + 1
    assert made.exceeded()["shop", "label_value_length", OTHER] == 5


def test_other_limits_count_from_now_and_what_was_refused_is_still_told(quotas):
    made = quotas(series=1)
    made.of("shop").take_series(SERIES[:2])
    made.change(IngestLimits(tenants={"shop": TenantLimits(series=2)}))
    assert made.of("shop").take_series(SERIES[:2]) == (set(), "")
    assert made.exceeded() == {("shop", "series", ""): 1}


def test_a_tenant_has_the_limits_of_the_file_and_else_the_default(tmp_path):
    path = tmp_path / "limits.yml"
    path.write_text(
        "all: {series: 9}\ndefault: {labels: 20, body_size: 1MB}\n"
        "tenants: {shop: {labels: 0}, bank: }\n"
    )
    limits = load_limits(path)
    assert limits.all.series == 9
    assert (limits.default.labels, limits.default.body_size) == (20, 1 << 20)
    assert (limits.tenants["shop"].labels, limits.tenants["shop"].body_size) == (0, 1 << 20)
    assert limits.tenants["bank"] == limits.default
    assert limits.tenants["shop"].of_labels.broken_by((("__name__", "x"),) * 200) is None


@pytest.mark.parametrize("text", ["default: {lables: 1}", "all: {labels: 1}", "tenants: [a]"])
def test_a_limit_that_is_none_is_an_error_that_names_it(tmp_path, text):
    path = tmp_path / "limits.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"limits\.yml at .*"):
        load_limits(path)
