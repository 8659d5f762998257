"""What a service promises to emit: pure data, checked as it is declared."""

from watchkeeper.contract.alert import Alert, RecordingRule, RuleGroup, Urgency
from watchkeeper.contract.contract import Contract, ScrapeJob, Signals
from watchkeeper.contract.dashboard import (
    GRID_COLUMNS,
    Annotation,
    Dashboard,
    Panel,
    PanelKind,
    Query,
    Row,
    Threshold,
    Variable,
)
from watchkeeper.contract.event import Field, LogEvent
from watchkeeper.contract.label import OTHER, Label
from watchkeeper.contract.metric import (
    DURATION_BUCKETS,
    Combine,
    Counter,
    Gauge,
    Histogram,
    Metric,
    Summary,
)
from watchkeeper.contract.reference import load_contract
from watchkeeper.contract.routing import (
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
from watchkeeper.contract.span import Span

__all__ = [
    "DURATION_BUCKETS",
    "GRID_COLUMNS",
    "OTHER",
    "Alert",
    "Annotation",
    "Combine",
    "Contract",
    "Counter",
    "Dashboard",
    "Email",
    "Field",
    "Gauge",
    "Histogram",
    "Inhibition",
    "Label",
    "LogEvent",
    "MailServer",
    "Metric",
    "Notifications",
    "PagerDuty",
    "Panel",
    "PanelKind",
    "Query",
    "Receiver",
    "RecordingRule",
    "Route",
    "Row",
    "RuleGroup",
    "ScrapeJob",
    "Signals",
    "Slack",
    "Span",
    "Summary",
    "Threshold",
    "Urgency",
    "Variable",
    "Webhook",
    "load_contract",
]
