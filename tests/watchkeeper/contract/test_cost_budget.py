from dataclasses import replace

import pytest
from tests.watchkeeper.contract.shop import BUDGET, CHECKOUT, COST, SHOP

from watchkeeper.contract import CostBudget, Events
from watchkeeper.errors import ContractError

COST_OF_CHAT = 'cost_budget:{}{{feature="chat"}}'


@pytest.fixture
def spending(simulate):
    return simulate(replace(SHOP, slos=(), rule_groups=(), dashboards=()))


def test_what_is_spent_within_the_plan_is_silent(spending):
    spending.counter("model_cost_usd_total", lambda minute: 8 / 1440, feature="chat")
    spending.run(32 * 60, every=15)
    assert spending.firing == {}
    assert spending.value(COST_OF_CHAT.format("spent:total")) == pytest.approx(8, rel=0.02)
    assert spending.value(COST_OF_CHAT.format("spent:ratio")) == pytest.approx(8 / 12, rel=0.02)
    assert spending.value(COST_OF_CHAT.format("burn_rate:ratio")) == pytest.approx(8 / 12, rel=0.02)
    assert spending.value(COST_OF_CHAT.format("forecast:total")) == pytest.approx(8, rel=0.1)


def test_a_budget_that_will_not_last_is_told_before_it_is_spent(spending):
    spending.counter("model_cost_usd_total", lambda minute: 24 / 1440, feature="chat")
    spending.counter("model_cost_usd_total", lambda minute: 1 / 1440, feature="search")
    spending.run(13 * 60, every=5)
    assert spending.first("ModelsDailyAtRisk") < 2 * 60
    assert spending.first("ModelsDailySpent") == pytest.approx(12 * 60, abs=10)


def test_a_month_is_added_up_from_what_was_recorded(simulate):
    month = replace(BUDGET, period_days=30, amount=100)
    run = simulate(replace(SHOP, slos=(), budgets=(month,), rule_groups=(), dashboards=()))
    run.counter("model_cost_usd_total", lambda minute: 0.5, feature="chat")
    run.run(120)
    assert run.value(COST_OF_CHAT.format("spent:total")) == pytest.approx(60, rel=0.05)


def test_before_a_line_can_be_drawn_the_forecast_is_what_is_spent(spending):
    spending.counter("model_cost_usd_total", lambda minute: 1, feature="chat")
    spending.run(4)
    spent = spending.value(COST_OF_CHAT.format("spent:total"))
    assert spent == spending.value(COST_OF_CHAT.format("forecast:total")) == pytest.approx(4, abs=1)


def test_nothing_spent_is_zero_and_silent(spending):
    spending.counter("model_cost_usd_total", lambda minute: 0, feature="chat")
    spending.run(60)
    assert spending.firing == {}
    assert spending.value(COST_OF_CHAT.format("spent:ratio")) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount": 0}, "amount must be above 0"),
        ({"period_days": 365}, "1 to 31"),
        ({"by": ("tenant",)}, "has no label tenant; its labels are: feature"),
        ({"cost": Events(CHECKOUT)}, "is no counter"),
        ({"name": "LLM"}, "lower-case words"),
        ({"description": ""}, "what is paid for"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, message):
    with pytest.raises(ContractError, match=message):
        replace(BUDGET, **change)


def test_a_budget_is_named_in_its_alerts():
    budget = CostBudget(name="a-b", description="c", cost=Events(COST), amount=1)
    assert budget.alert_name("Spent") == "ABSpent"
