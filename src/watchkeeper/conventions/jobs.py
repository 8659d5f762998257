"""Background jobs: how many are under way, how they end, how long they take."""

from watchkeeper.contract import (
    Alert,
    Combine,
    Counter,
    Gauge,
    Histogram,
    Label,
    Panel,
    PanelKind,
    Part,
    Query,
    Row,
    Runbook,
    Signals,
    Urgency,
)
from watchkeeper.conventions.queries import quantiles, share

# watchkeeper: allow gauge-named-total: dashboards of many services know it by this name
ACTIVE = Gauge(
    name="active_jobs_total",
    help="Jobs that have not ended, by status.",
    labels=(Label("status", values=("queued", "running")),),
    combine=Combine.LATEST,
)
COMPLETED = Counter(
    name="completed_jobs_total",
    help="Jobs that ended, by how; `rejected` is what the asker has to mend.",
    labels=(Label("status", values=("completed", "failed", "rejected")),),
)
DURATION = Histogram(
    name="job_duration_seconds",
    help="Time from the request for a job to its end, waiting included.",
    unit="seconds",
    buckets=(0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0),
)
ATTEMPTS = Counter(
    name="job_attempts_total",
    help="Attempts at jobs, by how they ended.",
    labels=(Label("outcome", values=("success", "retry", "failed")),),
)

SIGNALS = Signals(metrics=(ACTIVE, COMPLETED, DURATION, ATTEMPTS))

FAILED = f'{COMPLETED.name}{{status="failed"}}'
TRIED = f'{COMPLETED.name}{{status!="rejected"}}'
ROW = Row(
    "Jobs",
    (
        Panel(
            title="Active jobs",
            description="Jobs that have not ended, by status.",
            kind=PanelKind.STAT,
            queries=(Query(f"max by (status) ({ACTIVE.name})", "{{status}}"),),
            width=6,
        ),
        Panel(
            title="Jobs ended",
            description="Jobs a second by how they ended.",
            queries=(Query(f"sum by (status) (rate({COMPLETED.name}[5m]))", "{{status}}"),),
            unit="ops",
            width=9,
        ),
        Panel(
            title="Time of jobs",
            description="From the request for a job to its end: half, 95 and 99 of a hundred.",
            queries=quantiles(DURATION.name),
            unit="s",
            width=9,
        ),
    ),
)


def watched(failure_ratio: float = 0.1) -> Part:
    """Return jobs with an alert on more failures than `failure_ratio`; those that were rejected
    count neither way."""
    return Part(
        name="jobs",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=(
            Alert(
                name="JobProcessingFailures",
                expression=f"{share(FAILED, TRIED, '10m')} > {failure_ratio:g}",
                for_seconds=300,
                severity=Urgency.CRITICAL,
                summary="Jobs fail",
                description=(
                    "{{ $value | humanizePercentage }} of the jobs of the last 10 minutes failed,"
                    " and not for what people asked."
                ),
            ),
        ),
        runbooks=(
            Runbook(
                "JobProcessingFailures",
                "Too many of the jobs that ended failed, and not for what people asked.",
                (
                    "Look at the logs of failed jobs: one reason, or many?",
                    "A dependency that is down has an alert of its own; after a deploy, roll back.",
                ),
            ),
        ),
    )
