from dataclasses import replace

import pytest
from tests.watchkeeper.contract.shop import CHECKOUT, ORDERS, ORDERS_SLO

from watchkeeper.contract import SLO, WORKBOOK, Events, Gauge, Latency, Ratio, Urgency
from watchkeeper.errors import ContractError


def test_the_factors_over_thirty_days_are_the_workbooks():
    assert [limb.factor(30) for limb in WORKBOOK] == [14.4, 6, 3, 1]


@pytest.mark.parametrize(("objective", "least"), [(0.9, "93.06%"), (0.93, "93.06%"), (0.5, "93")])
def test_a_limb_that_could_never_fire_is_refused_with_its_numbers(objective, least):
    with pytest.raises(ContractError) as refused:
        replace(ORDERS_SLO, objective=objective)
    assert f"14.4 * {1 - objective:g} = {14.4 * (1 - objective):.4g}" in str(refused.value)
    assert least in str(refused.value)


def test_an_objective_just_above_the_dead_limb_is_taken():
    assert replace(ORDERS_SLO, objective=0.931).budget == 0.069


def test_a_low_objective_may_leave_the_dead_limb_out():
    slo = replace(ORDERS_SLO, objective=0.9, burn_rates=WORKBOOK[1:])
    assert slo.severities == (Urgency.CRITICAL, Urgency.WARNING)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": 1.0}, "between 0 and 1"),
        ({"objective": 99.9}, "0.999 is 99.9 %"),
        ({"name": "Orders SLO"}, "lower-case words"),
        ({"window_days": 7}, "28 to 90"),
        ({"burn_rates": ()}, "nobody is ever told"),
        ({"description": ""}, "what is promised"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, message):
    with pytest.raises(ContractError, match=message):
        replace(ORDERS_SLO, **change)


def test_a_latency_that_no_bucket_ends_at_is_refused_with_the_bounds_beside_it():
    with pytest.raises(ContractError, match=r"bounds beside it: 0\.5 and 1$"):
        Latency(histogram=CHECKOUT, threshold_seconds=0.75)
    with pytest.raises(ContractError, match=r"bounds beside it: 2\.5$"):
        Latency(histogram=CHECKOUT, threshold_seconds=5)


@pytest.mark.parametrize(
    ("matcher", "message"),
    [
        ('status="failed"', "no label status; its labels are: outcome"),
        ('outcome="lost"', "never is 'lost'; it is one of: paid, declined, failed"),
        ("outcome=failed", "is no matcher"),
    ],
)
def test_events_that_no_series_can_count_are_refused(matcher, message):
    with pytest.raises(ContractError, match=message):
        Events(ORDERS, (matcher,))


def test_a_gauge_counts_no_events():
    with pytest.raises(ContractError, match="is a gauge"):
        Events(Gauge(name="depth", help="Depth."))


def test_a_ratio_names_what_is_bad_or_what_is_good():
    with pytest.raises(ContractError, match="either bad or good"):
        Ratio(total=Events(ORDERS))
    with pytest.raises(ContractError, match="either bad or good"):
        Ratio(total=Events(ORDERS), bad=Events(ORDERS), good=Events(ORDERS))


def test_an_alert_is_named_for_its_slo_and_its_pace():
    slo: SLO = replace(ORDERS_SLO, name="card-payments")
    assert slo.alert_name(Urgency.CRITICAL) == "CardPaymentsFastBurn"
    assert slo.alert_name(Urgency.WARNING) == "CardPaymentsSlowBurn"
