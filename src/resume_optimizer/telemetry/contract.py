"""The contract: signals, alerts, dashboards, routes and targets in one object."""

from resume_optimizer.telemetry.alerts import ALERTS
from resume_optimizer.telemetry.dashboards import APPLICATION, BUSINESS
from resume_optimizer.telemetry.routes import NOTIFICATIONS
from resume_optimizer.telemetry.signals import SIGNALS
from watchkeeper.contract import Contract, RuleGroup, ScrapeJob

CONTRACT = Contract(
    service="resume-optimizer",
    version="2.0.0",
    signals=SIGNALS,
    rule_groups=(RuleGroup(name="resume-optimizer", rules=ALERTS),),
    dashboards=(APPLICATION, BUSINESS),
    notifications=NOTIFICATIONS,
    scrape_jobs=(
        ScrapeJob(name="resume-optimizer-api", targets=("127.0.0.1:8000",)),
        ScrapeJob(name="resume-optimizer-worker", targets=("127.0.0.1:8001",)),
        ScrapeJob(name="resume-optimizer-probe", targets=("127.0.0.1:8002",)),
        ScrapeJob(name="watchkeeper", targets=("127.0.0.1:9400",)),
    ),
)
