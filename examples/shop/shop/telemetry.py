"""What the shop emits, when somebody is told, and what they look at."""

from watchkeeper import (
    SLO,
    Contract,
    Counter,
    Events,
    Label,
    Notifications,
    PagerDuty,
    Ratio,
    Receiver,
    Route,
    ScrapeJob,
    Signals,
    Slack,
)
from watchkeeper.conventions import http, http_client, jobs, process, queue, telemetry

ORDERS = Counter(
    name="orders_total",
    help="Orders by how they ended.",
    labels=(Label("outcome", values=("paid", "declined", "failed")),),
)
PAGER = PagerDuty(routing_key_file="secrets/pagerduty_routing_key")
SLACK = Slack(channel="#alerts", webhook_url_file="secrets/slack_url")

CONTRACT = Contract(
    service="shop",
    version="1.0.0",
    owner="shop",
    signals=Signals(metrics=(ORDERS,)),
    parts=(
        http.watched(slow_seconds=2.5),
        http_client.watched(),
        queue.watched(longest=20),
        jobs.watched(),
        process.watched(),
        telemetry.watched(),
    ),
    slos=(
        SLO(
            name="orders",
            description="An order does not fail; one that the bank declines has not failed.",
            objective=0.999,
            indicator=Ratio(total=Events(ORDERS), bad=Events(ORDERS, ('outcome="failed"',))),
        ),
    ),
    notifications=Notifications(
        receivers=(
            Receiver("chat", (SLACK,)),
            Receiver("on-call", (PAGER, SLACK)),
        ),
        route=Route(
            receiver="chat",
            group_by=("alertname",),
            routes=(Route(receiver="on-call", matchers=('severity="critical"',)),),
        ),
    ),
    scrape_jobs=(ScrapeJob(name="shop", targets=("127.0.0.1:8000",)),),
)
