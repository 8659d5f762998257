"""What is refused as it is declared, each time with what, where and what to do."""

import pytest

from watchkeeper.contract import (
    Alert,
    Dashboard,
    Inhibition,
    Label,
    Link,
    Panel,
    PanelKind,
    Query,
    RecordingRule,
    Route,
    ScrapeJob,
    Threshold,
    Urgency,
)
from watchkeeper.errors import ContractError


def alert(**changes) -> Alert:
    words = {"name": "A", "expression": "up == 0", "summary": "s", "description": "d"}
    return Alert(severity=Urgency.WARNING, **{**words, **changes})


def panel(**changes) -> Panel:
    return Panel(**{"title": "P", "description": "d", "queries": (Query("up"),), **changes})


def dashboard(**changes) -> Dashboard:
    return Dashboard(**{"uid": "u", "title": "t", "description": "d", "rows": (), **changes})


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: alert(name="High errors"), "a name is letters, digits and underscores"),
        (lambda: alert(expression=" "), "`expression` is empty"),
        (lambda: alert(for_seconds=-1), "a duration is negative"),
        (lambda: alert(labels={"my-team": "x"}), "alert A: 'my-team' is not a name for a label"),
        (lambda: alert(labels={"__x": "x"}), "'__x' is not a name for a label"),
        (lambda: RecordingRule(name="a b", expression="up"), "not a Prometheus metric name"),
        (lambda: RecordingRule(name="a:b", expression=""), "a:b: `expression` is empty"),
        (lambda: Label("l", pattern="("), "is no regular expression"),
        (lambda: panel(queries=()), "without `queries` it shows nothing"),
        (lambda: panel(queries=(Query(" "),)), "a query is empty"),
        (
            lambda: panel(thresholds=(Threshold(2, "red"), Threshold(1, "green"))),
            "thresholds must ascend",
        ),
        (lambda: panel(width=25), "width is 1 to 24 columns"),
        (lambda: Link("", "/d/x"), "needs a title and a url"),
        (lambda: dashboard(uid="x" * 41), "1 to 40 characters"),
        (lambda: Route(receiver="r", matchers=("severity",)), 'route to r: .* severity="critical"'),
        (lambda: Inhibition(source=("a=b",), target=('c="d"',)), "'a=b' is no matcher"),
        (lambda: Inhibition(source=(), target=('c="d"',)), "hides everything"),
        (lambda: ScrapeJob(name="j", targets=()), "has no target"),
        (lambda: ScrapeJob(name="j", targets=("http://a:1",)), "write it as host:port"),
    ],
)
def test_what_cannot_be_meant_is_refused(declare, message):
    with pytest.raises(ContractError, match=message):
        declare()


def test_what_can_be_meant_is_taken():
    assert panel(kind=PanelKind.TEXT, queries=()).queries == ()
    assert Route(receiver="r", matchers=('severity=~"critical|warning"', 'team!=""'))
    assert ScrapeJob(name="j", targets=("shop.example:80", "[::1]:9090", "127.0.0.1:1"))
