"""Background jobs: how many are under way, how they end, how long they take."""

from watchkeeper.contract import Combine, Counter, Gauge, Histogram, Label, Signals

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
