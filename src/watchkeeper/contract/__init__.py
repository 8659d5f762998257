"""What a service promises to emit: pure data, checked as it is declared."""

from watchkeeper.contract.alert import Alert, RecordingRule, RuleGroup, Urgency
from watchkeeper.contract.burn_rate import WORKBOOK, BurnRate
from watchkeeper.contract.contract import Contract, ScrapeJob
from watchkeeper.contract.cost_budget import CostBudget
from watchkeeper.contract.dashboard import (
    GRID_COLUMNS,
    Annotation,
    Dashboard,
    Link,
    Panel,
    PanelKind,
    Query,
    Row,
    Threshold,
    Variable,
)
from watchkeeper.contract.drill import Drill
from watchkeeper.contract.event import Field, LogEvent
from watchkeeper.contract.events import Events
from watchkeeper.contract.indicator import Latency, Ratio
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
from watchkeeper.contract.native import NativeBuckets
from watchkeeper.contract.part import Part
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
from watchkeeper.contract.runbook import Runbook
from watchkeeper.contract.signals import Signals
from watchkeeper.contract.slo import SLO
from watchkeeper.contract.span import Span

__all__ = [
    "DURATION_BUCKETS",
    "GRID_COLUMNS",
    "OTHER",
    "SLO",
    "WORKBOOK",
    "Alert",
    "Annotation",
    "BurnRate",
    "Combine",
    "Contract",
    "CostBudget",
    "Counter",
    "Dashboard",
    "Drill",
    "Email",
    "Events",
    "Field",
    "Gauge",
    "Histogram",
    "Inhibition",
    "Label",
    "Latency",
    "Link",
    "LogEvent",
    "MailServer",
    "Metric",
    "NativeBuckets",
    "Notifications",
    "PagerDuty",
    "Panel",
    "PanelKind",
    "Part",
    "Query",
    "Ratio",
    "Receiver",
    "RecordingRule",
    "Route",
    "Row",
    "RuleGroup",
    "Runbook",
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
