from dataclasses import replace

import pytest

from watchkeeper.contract import (
    Alert,
    Contract,
    Counter,
    Dashboard,
    Drill,
    Panel,
    Part,
    Query,
    RecordingRule,
    Row,
    Runbook,
    Signals,
    Urgency,
)
from watchkeeper.errors import ContractError

SALES = Counter(name="sales_total", help="Sales.")
ALERT = Alert(
    name="NoSales",
    expression="rate(sales_total[1h]) == 0",
    severity=Urgency.WARNING,
    summary="s",
    description="d",
)
ROW = Row("Sales", (Panel(title="Sales", description="Sales.", queries=(Query("sales_total"),)),))
PART = Part(
    name="sales",
    signals=Signals(metrics=(SALES,)),
    alerts=(ALERT,),
    recordings=(RecordingRule(name="sales:rate1h", expression="rate(sales_total[1h])"),),
    rows=(ROW,),
    runbooks=(Runbook("NoSales", "Nobody buys.", ("Is the shop open?",)),),
)


def shop(**changes) -> Contract:
    return Contract(service="shop", version="1", parts=(PART,), **changes)


def test_a_part_brings_its_signals_rules_panels_and_runbooks():
    contract = shop()
    assert contract.signals.metrics == (SALES,)
    assert [group.name for group in contract.rule_groups] == ["part-sales"]
    assert [rule.name for rule in contract.rule_groups[0].rules] == ["sales:rate1h", "NoSales"]
    assert [(one.uid, one.rows) for one in contract.dashboards] == [("shop-overview", (ROW,))]
    assert contract.runbooks == PART.runbooks


def test_a_contract_that_is_changed_has_its_parts_once():
    contract = shop()
    assert replace(contract, version="1") == contract


def test_rows_that_a_dashboard_shows_are_not_shown_again():
    own = Dashboard(uid="own", title="Own", description="Own.", rows=(ROW,))
    assert shop(dashboards=(own,)).dashboards == (own,)


def test_two_parts_that_declare_one_metric_differently_are_refused():
    other = Part(name="other", signals=Signals(metrics=(replace(SALES, help="Other."),)))
    with pytest.raises(ContractError, match="'sales_total' is declared twice"):
        replace(shop(), parts=(PART, other))


def test_two_parts_may_share_a_metric():
    other = Part(name="other", signals=Signals(metrics=(SALES,)))
    assert replace(shop(), parts=(PART, other)).signals.metrics == (SALES,)


def test_a_part_taken_twice_is_refused():
    with pytest.raises(ContractError, match="part 'sales' is declared twice"):
        Contract(service="shop", version="1", parts=(PART, PART))


def test_every_alert_carries_its_owner():
    (alert,) = shop(owner="sales-team").alerts
    assert alert.labels == {"owner": "sales-team"}


def test_a_drill_is_named_by_the_alerts_that_it_proves():
    drill = Drill(name="shop-closed", help="The door is locked.", proves=("NoSales",))
    (alert,) = shop(drills=(drill,)).alerts
    assert alert.drill == "shop-closed"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drills": (Drill(name="d", help="h", proves=("Gone",)),)}, "drill: .* no alert 'Gone'"),
        ({"runbooks": (Runbook("Gone", "m", ("s",)),)}, "runbook: .* no alert 'Gone'"),
    ],
)
def test_what_is_about_an_alert_that_is_not_declared_is_refused(change, message):
    with pytest.raises(ContractError, match=message):
        shop(**change)


def test_an_alert_leads_to_its_section_of_the_runbooks():
    assert ALERT.runbook == "docs/runbooks.md#nosales"
    assert replace(ALERT, runbook="https://wiki.example/no-sales").runbook.startswith("https")


def test_words_that_help_nobody_are_refused():
    with pytest.raises(ContractError, match="step by step"):
        Runbook("NoSales", "Nobody buys.", ())
    with pytest.raises(ContractError, match="which alerts it proves"):
        Drill(name="d", help="h", proves=())
    with pytest.raises(ContractError, match="lower-case words"):
        Part(name="Sales Part")
