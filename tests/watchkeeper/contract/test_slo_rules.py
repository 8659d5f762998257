"""What an SLO's rules do with traffic; the rules themselves are golden/rules.yml."""

import math
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.watchkeeper.contract.shop import LATENCY_SLO, ORDERS, ORDERS_SLO, SHOP

from watchkeeper.check.rule_tests import test_rules
from watchkeeper.clock import SystemClock
from watchkeeper.contract import Contract, Events, Ratio
from watchkeeper.render import documents, quicken

GOLDEN = Path(__file__).parent / "golden"
LEFT = 'slo:period_error_budget_remaining:ratio{slo="orders"}'


def with_slo(slo) -> Contract:
    return replace(SHOP, slos=(slo,), budgets=(), rule_groups=(), dashboards=())


@pytest.fixture
def orders(simulate):
    return simulate(with_slo(ORDERS_SLO))


def test_the_rules_are_the_golden_ones():
    (rules,) = (one for one in documents(SHOP) if str(one.path) == "prometheus/rules/shop.yml")
    assert rules.text == (GOLDEN / "rules.yml").read_text(encoding="utf-8")


def test_the_dashboard_is_the_golden_one():
    (dashboard,) = (one for one in documents(SHOP) if one.path.name == "shop-objectives.json")
    assert dashboard.text == (GOLDEN / "objectives.json").read_text(encoding="utf-8")


def test_promtool_accepts_the_golden_rules(program):
    command = [program("promtool"), "check", "rules", str(GOLDEN / "rules.yml")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_promtool_and_the_product_agree_on_what_the_golden_rules_do(program):
    tests = GOLDEN / "rules_test.yml"
    assert test_rules(tests, clock=SystemClock()) == []
    command = [program("promtool"), "test", "rules", str(tests)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_contract_that_is_changed_keeps_its_rules_once():
    names = [group.name for group in SHOP.rule_groups]
    quick = quicken(SHOP, 20)
    assert [group.name for group in quick.rule_groups] == names
    assert [one.uid for one in quick.dashboards] == ["shop-objectives"]


def test_an_outage_pages_within_the_minutes_that_the_burn_rate_allows(orders):
    orders.counter("orders_total", lambda minute: 60 if minute <= 120 else 0, outcome="paid")
    orders.counter("orders_total", lambda minute: 0 if minute <= 120 else 60, outcome="failed")
    orders.run(120)
    assert orders.firing == {}
    orders.run(15)
    # All being bad, 14.4 % of an hour is bad after 8.6 minutes.
    assert 120 + 8 <= orders.first("OrdersFastBurn") <= 120 + 10


def test_the_page_ends_soon_after_the_errors(orders):
    def bad(minute: int) -> float:
        return 60 if 60 < minute <= 80 else 0

    orders.counter("orders_total", lambda minute: 60 - bad(minute), outcome="paid")
    orders.counter("orders_total", bad, outcome="failed")
    orders.run(120)
    assert orders.first("OrdersFastBurn")
    assert 80 < orders.firing["OrdersFastBurn"][-1] <= 115


def test_a_slow_burn_asks_for_a_ticket_and_wakes_nobody(orders):
    orders.counter("orders_total", lambda minute: 96.5, outcome="paid")
    orders.counter("orders_total", lambda minute: 3.5, outcome="failed")
    orders.run(3 * 60, every=5)
    assert orders.first("OrdersSlowBurn")
    assert orders.first("OrdersFastBurn") is None


def test_errors_within_the_budget_are_silent(orders):
    orders.counter("orders_total", lambda minute: 99.5, outcome="paid")
    orders.counter("orders_total", lambda minute: 0.5, outcome="failed")
    orders.run(6 * 60, every=5)
    assert orders.firing == {}
    assert orders.value(LEFT) == pytest.approx(0.5, abs=0.02)
    assert orders.value("slo:current_burn_rate:ratio") == pytest.approx(0.5)
    lasts = orders.value("slo:error_budget_exhaustion:seconds")
    assert lasts == pytest.approx(0.5 * 30 * 86400 / 0.5, rel=0.05)


def test_no_traffic_is_no_error_and_leaves_no_nan(orders):
    orders.counter("orders_total", lambda minute: 60 if minute < 60 else 0, outcome="paid")
    orders.counter("orders_total", lambda minute: 0, outcome="failed")
    orders.run(3 * 60, every=2)
    assert orders.firing == {}
    assert orders.value('slo:sli_error:ratio_rate5m{slo="orders"}') == 0
    assert orders.value(LEFT) == 1
    assert orders.value("slo:error_budget_exhaustion:seconds") == 30 * 86400


def test_no_series_of_errors_yet_is_no_error(orders):
    orders.counter("orders_total", lambda minute: 60, outcome="paid")
    orders.run(30)
    assert orders.value('slo:sli_error:ratio_rate5m{slo="orders"}') == 0
    assert orders.value(LEFT) == 1


def test_without_any_series_nothing_is_claimed(orders):
    orders.run(10)
    assert orders.value(LEFT) is None
    assert orders.firing == {}


def test_a_quiet_night_does_not_outweigh_a_busy_day(orders):
    orders.counter("orders_total", lambda minute: 1000 if minute < 120 else 1, outcome="paid")
    orders.counter("orders_total", lambda minute: 0 if minute < 120 else 1, outcome="failed")
    orders.run(4 * 60, every=4)
    bad = 120 / (120 * 1000 + 240)
    assert orders.value('slo:sli_error:ratio_rate30d{slo="orders"}') == pytest.approx(bad, rel=0.1)


def test_few_events_wake_nobody(simulate):
    def outage(minimum: int):
        run = simulate(with_slo(replace(ORDERS_SLO, minimum_events=minimum)))
        run.counter("orders_total", lambda minute: 0, outcome="paid")
        run.counter("orders_total", lambda minute: 0.2, outcome="failed")
        run.run(60)
        return run.first("OrdersFastBurn")

    assert outage(minimum=0) is not None
    assert outage(minimum=5) is not None
    assert outage(minimum=20) is None


def test_every_window_sees_the_same_share_of_a_steady_burn(orders):
    orders.counter("orders_total", lambda minute: 95, outcome="paid")
    orders.counter("orders_total", lambda minute: 5, outcome="failed")
    orders.run(75, every=5)
    for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"):
        ratio = orders.value(f'slo:sli_error:ratio_rate{window}{{slo="orders"}}')
        assert ratio == pytest.approx(0.05), window


def test_what_took_too_long_is_bad(simulate):
    run = simulate(with_slo(LATENCY_SLO))
    run.counter("checkout_duration_seconds_count", lambda minute: 100)
    run.counter("checkout_duration_seconds_bucket", lambda minute: 90, le="1.0")
    run.run(20)
    ratio = run.value('slo:sli_error:ratio_rate5m{slo="checkout-latency"}')
    assert ratio == pytest.approx(0.1)


def test_what_is_not_known_to_be_good_is_bad(simulate):
    good = Ratio(total=Events(ORDERS), good=Events(ORDERS, ('outcome="paid"',)))
    run = simulate(with_slo(replace(ORDERS_SLO, indicator=good)))
    run.counter("orders_total", lambda minute: 60, outcome="failed")
    run.run(20)
    assert run.value('slo:sli_error:ratio_rate5m{slo="orders"}') == 1
    assert not math.isnan(run.value(LEFT))
