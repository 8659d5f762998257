"""A contract with one of everything that is rendered, for the golden files."""

from watchkeeper import (
    Alert,
    Contract,
    Counter,
    Dashboard,
    Email,
    Field,
    Histogram,
    Inhibition,
    Label,
    LogEvent,
    MailServer,
    PagerDuty,
    Panel,
    PanelKind,
    Query,
    Receiver,
    RecordingRule,
    Route,
    Row,
    RuleGroup,
    ScrapeJob,
    Severity,
    Signals,
    Slack,
    Span,
    Threshold,
    Urgency,
    Variable,
    Webhook,
)
from watchkeeper.contract import Notifications
from watchkeeper.conventions import process

ORDERS = Counter(
    name="orders_total",
    help="Orders by how they ended.",
    labels=(Label("outcome", values=("paid", "declined")),),
)
PACKING = Histogram(
    name="packing_duration_seconds", help="Time to pack.", unit="seconds", buckets=(1.0, 60.0)
)
SIGNALS = process.SIGNALS + Signals(
    metrics=(ORDERS, PACKING),
    spans=(Span("pack", "An order is packed."),),
    events=(
        LogEvent(
            "order_declined",
            "Order declined",
            Severity.WARNING,
            (Field("order_id"), Field("amount", float), Field("items", int), Field("gift", bool)),
        ),
    ),
)
DECLINED = 'sum(rate(orders_total{outcome="declined"}[5m])) / sum(rate(orders_total[5m])) > 0.2'
RULES = RuleGroup(
    name="shop",
    interval_seconds=30,
    rules=(
        RecordingRule(name="shop:orders:rate5m", expression="sum(rate(orders_total[5m]))"),
        Alert(
            name="OrdersDeclined",
            expression=DECLINED,
            for_seconds=120,
            keep_firing_for_seconds=60,
            severity=Urgency.CRITICAL,
            summary="Orders are declined",
            description="{{ $value | humanizePercentage }} of the orders.",
            runbook="https://shop.example/runbooks/orders",
        ),
    ),
)
BOARD = Dashboard(
    uid="shop",
    variables=(Variable(name="outcome", title="Outcome", metric="orders_total", label="outcome"),),
    annotations=(process.DEPLOYS,),
    title="Shop",
    description="Is the shop well.",
    rows=(
        Row(
            "Orders",
            (
                Panel(
                    title="Orders",
                    description="Orders a second by outcome.",
                    queries=(
                        Query(
                            'sum by (outcome) (rate(orders_total{outcome=~"$outcome"}[5m]))',
                            "{{outcome}}",
                        ),
                    ),
                    unit="ops",
                ),
                Panel(
                    title="Declined",
                    description="Share of orders that were declined.",
                    kind=PanelKind.STAT,
                    queries=(Query(DECLINED.removesuffix(" > 0.2"), "declined"),),
                    unit="percentunit",
                    thresholds=(Threshold(0, "green"), Threshold(0.2, "red")),
                ),
            ),
        ),
    ),
)
NOTIFICATIONS = Notifications(
    mail=MailServer(
        smarthost="mail.shop.example:587",
        sender="alerts@shop.example",
        username="alerts",
        password_file="secrets/smtp_password",
    ),
    receivers=(
        Receiver("team", (Slack(channel="#shop", webhook_url_file="secrets/slack_url"),)),
        Receiver(
            "on-call",
            (
                PagerDuty(routing_key_file="secrets/pagerduty_key"),
                Email(to="oncall@shop.example"),
                Webhook(url_file="secrets/incidents_url"),
            ),
        ),
    ),
    route=Route(
        receiver="team",
        group_by=("alertname",),
        group_wait_seconds=30,
        routes=(Route(receiver="on-call", matchers=('severity="critical"',), continue_=True),),
    ),
    inhibitions=(
        Inhibition(
            source=('alertname="ShopDown"',),
            target=('alertname=~"Orders.*"',),
            equal=("service",),
        ),
    ),
)
CONTRACT = Contract(
    service="corner-shop",
    version="1.2.0",
    signals=SIGNALS,
    rule_groups=(RULES,),
    dashboards=(BOARD,),
    notifications=NOTIFICATIONS,
    scrape_jobs=(
        ScrapeJob(name="corner-shop", targets=("127.0.0.1:8000",)),
        ScrapeJob(name="packer", targets=("127.0.0.1:8001",), interval_seconds=5),
    ),
    log_retention_days=14,
    trace_sampling_ratio=0.25,
)
