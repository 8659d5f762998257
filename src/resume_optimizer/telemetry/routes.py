"""Who is told: critical wakes somebody, a warning waits for the morning, Watchdog is a heartbeat."""

from watchkeeper.contract import (
    Email,
    Inhibition,
    MailServer,
    Notifications,
    PagerDuty,
    Receiver,
    Route,
    Slack,
    Webhook,
)

INCIDENTS = Webhook(url_file="secrets/incident_webhook_url")

NOTIFICATIONS = Notifications(
    mail=MailServer(
        smarthost="localhost:587",
        sender="alerts@resume-optimizer.example",
        username="alerts@resume-optimizer.example",
        password_file="secrets/smtp_password",
    ),
    receivers=(
        Receiver("default", (Slack(channel="#alerts", webhook_url_file="secrets/slack_url"),)),
        Receiver(
            "critical-alerts",
            (
                PagerDuty(routing_key_file="secrets/pagerduty_routing_key"),
                Slack(channel="#critical-alerts", webhook_url_file="secrets/slack_url"),
                Email(to="oncall@resume-optimizer.example"),
                INCIDENTS,
            ),
        ),
        Receiver(
            "warning-alerts",
            (
                Slack(channel="#warnings", webhook_url_file="secrets/slack_url"),
                Email(to="team@resume-optimizer.example"),
                INCIDENTS,
            ),
        ),
        Receiver("heartbeat", (Webhook(url_file="secrets/heartbeat_webhook_url"),)),
    ),
    route=Route(
        receiver="default",
        group_by=("alertname", "severity"),
        group_wait_seconds=10,
        group_interval_seconds=60,
        repeat_interval_seconds=4 * 3600,
        routes=(
            Route(
                receiver="heartbeat",
                matchers=('alertname="Watchdog"',),
                group_wait_seconds=0,
                repeat_interval_seconds=300,
            ),
            Route(receiver="critical-alerts", matchers=('severity="critical"',)),
            Route(receiver="warning-alerts", matchers=('severity="warning"',)),
        ),
    ),
    inhibitions=(
        Inhibition(
            source=('alertname=~"DatabaseConnectionIssues|CacheDown|ObjectStoreDown"',),
            target=('alertname=~"HighErrorRate|JourneyFailing|JobProcessingFailures"',),
            equal=("service",),
        ),
    ),
)
