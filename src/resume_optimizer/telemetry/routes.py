"""Who is told: critical wakes somebody, a warning waits, Watchdog is a heartbeat."""

from resume_optimizer.telemetry.addresses import Addresses
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

SLACK_URL_FILE = "secrets/slack_url"
PAGERDUTY_KEY_FILE = "secrets/pagerduty_routing_key"
SMTP_PASSWORD_FILE = "secrets/smtp_password"

ROUTE = Route(
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
)
CONSEQUENCES = (
    "HighErrorRate",
    "JourneyFailing",
    "JobProcessingFailures",
    "CacheErrors",
    "ObjectStoreErrors",
    ".+FastBurn",
)
"""What a dependency that is down brings about: one message about the cause is enough."""

INHIBITIONS = (
    Inhibition(
        source=('alertname=~"DatabaseConnectionIssues|CacheDown|ObjectStoreDown"',),
        target=(f'alertname=~"{"|".join(CONSEQUENCES)}"',),
        equal=("service",),
    ),
    Inhibition(
        source=('alertname=~".+FastBurn"',),
        target=('alertname=~".+SlowBurn"',),
        equal=("service", "slo"),
    ),
)


def notifications(addresses: Addresses) -> Notifications:
    """Return receivers, routes and inhibitions for one deployment."""
    incidents = Webhook(url=addresses.incident_webhook_url)
    pagerduty = PagerDuty(routing_key_file=PAGERDUTY_KEY_FILE, url=addresses.pagerduty_url)
    return Notifications(
        mail=MailServer(
            smarthost=addresses.smarthost,
            sender="alerts@resume-optimizer.example",
            username=addresses.mail_username,
            password_file=SMTP_PASSWORD_FILE,
            require_tls=addresses.mail_requires_tls,
        ),
        receivers=(
            Receiver("default", (_slack("#alerts"),)),
            Receiver(
                "critical-alerts",
                (
                    pagerduty,
                    _slack("#critical-alerts"),
                    Email(to="oncall@resume-optimizer.example"),
                    incidents,
                ),
            ),
            Receiver(
                "warning-alerts",
                (_slack("#warnings"), Email(to="team@resume-optimizer.example"), incidents),
            ),
            Receiver("heartbeat", (Webhook(url=addresses.heartbeat_webhook_url),)),
        ),
        route=ROUTE,
        inhibitions=INHIBITIONS,
    )


def _slack(channel: str) -> Slack:
    return Slack(channel=channel, webhook_url_file=SLACK_URL_FILE)
