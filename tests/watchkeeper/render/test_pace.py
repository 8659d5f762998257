from watchkeeper.contract import (
    Alert,
    Contract,
    Notifications,
    Receiver,
    Route,
    RuleGroup,
    Signals,
    Urgency,
)
from watchkeeper.render import quicken


def test_every_duration_shrinks_by_the_same_factor():
    alert = Alert(
        name="A",
        expression="rate(x_total[5m] offset 10m) > 300",
        for_seconds=120,
        severity=Urgency.WARNING,
        summary="s",
        description="d",
        runbook="r",
    )
    contract = Contract(
        service="shop",
        version="1",
        signals=Signals(),
        rule_groups=(RuleGroup(name="g", rules=(alert,)),),
        notifications=Notifications(
            receivers=(Receiver("team"),),
            route=Route(
                receiver="team",
                group_wait_seconds=30,
                routes=(Route(receiver="team", repeat_interval_seconds=60),),
            ),
        ),
    )
    quick = quicken(contract, 30)
    (rule,) = quick.rule_groups[0].rules
    assert rule.expression == "rate(x_total[10s] offset 20s) > 300"
    assert rule.for_seconds == 4
    assert quick.scrape_interval_seconds == 0.5
    assert quick.evaluation_interval_seconds == 0.5
    assert quick.notifications.route.group_wait_seconds == 1
    assert quick.notifications.route.group_interval_seconds is None
    assert quick.notifications.route.routes[0].repeat_interval_seconds == 2
