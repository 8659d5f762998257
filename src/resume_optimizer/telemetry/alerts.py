"""When somebody must be told, and what they read."""

from watchkeeper.contract import Alert, Urgency


def _runbook(alert: str) -> str:
    return f"docs/runbooks.md#{alert.lower()}"


def _dependency_down(name: str, dependency: str, what: str, consequence: str, drill: str) -> Alert:
    """Return the alert that fires when a dependency does not answer, or nobody looks at it."""
    selector = f'dependency_up{{dependency="{dependency}"}}'
    return Alert(
        name=name,
        expression=f"min by (dependency) ({selector}) == 0 or absent({selector})",
        for_seconds=60,
        severity=Urgency.CRITICAL,
        summary=f"{what} does not answer",
        description=f"{what} has not answered for a minute, or nobody looks at it. {consequence}",
        runbook=_runbook(name),
        drill=drill,
    )


def _error_ratio(window: str) -> str:
    """Return the share of requests answered with a server error over `window`.

    The short window beside the long one lets the alert end when the errors do.
    """
    return (
        f'sum(rate(http_requests_total{{status_code=~"5.."}}[{window}]))'
        f" / sum(rate(http_requests_total[{window}]))"
    )


ALERTS = (
    Alert(
        name="HighErrorRate",
        expression=f"{_error_ratio('5m')} > 0.05 and {_error_ratio('1m')} > 0.05",
        for_seconds=120,
        severity=Urgency.CRITICAL,
        summary="High error rate",
        description=(
            "{{ $value | humanizePercentage }} of the requests of the last 5 minutes were"
            " answered with a server error."
        ),
        runbook=_runbook("HighErrorRate"),
        drill="database-down",
    ),
    Alert(
        name="HighResponseTime",
        expression=(
            "histogram_quantile(0.95,"
            " sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 5"
        ),
        for_seconds=300,
        severity=Urgency.WARNING,
        summary="High response time",
        description="One request in twenty takes longer than {{ $value | humanizeDuration }}.",
        runbook=_runbook("HighResponseTime"),
        drill="database-slow",
    ),
    Alert(
        name="HighMemoryUsage",
        expression='sum by (job) (memory_usage_bytes{type="rss"}) > 1.5 * 1024 ^ 3',
        for_seconds=300,
        severity=Urgency.WARNING,
        summary="High memory usage of {{ $labels.job }}",
        description="The processes of {{ $labels.job }} hold {{ $value | humanize1024 }}B.",
        runbook=_runbook("HighMemoryUsage"),
        drill="memory",
    ),
    Alert(
        name="JobProcessingFailures",
        expression=(
            'sum(rate(completed_jobs_total{status="failed"}[10m]))'
            ' / sum(rate(completed_jobs_total{status!="rejected"}[10m])) > 0.1'
        ),
        for_seconds=300,
        severity=Urgency.CRITICAL,
        summary="Jobs fail",
        description=(
            "{{ $value | humanizePercentage }} of the jobs of the last 10 minutes failed,"
            " and not for what people asked."
        ),
        runbook=_runbook("JobProcessingFailures"),
        drill="llm-errors",
    ),
    _dependency_down(
        "DatabaseConnectionIssues",
        "database",
        "PostgreSQL",
        "Nobody can log in, upload or see a result.",
        "database-down",
    ),
    Alert(
        name="DatabasePoolExhausted",
        expression=(
            "sum by (job) (db_connections_active) / sum by (job) (db_connections_max) > 0.9"
        ),
        for_seconds=120,
        severity=Urgency.WARNING,
        summary="Database connections run out in {{ $labels.job }}",
        description="{{ $value | humanizePercentage }} of the pool's connections are in use.",
        runbook=_runbook("DatabasePoolExhausted"),
        drill="database-slow",
    ),
    _dependency_down(
        "CacheDown",
        "cache",
        "Valkey",
        "Sessions, rate limits and the queue stand still.",
        "cache-down",
    ),
    _dependency_down(
        "ObjectStoreDown",
        "objects",
        "The object store",
        "Resumes cannot be uploaded and results not downloaded.",
        "objects-down",
    ),
    Alert(
        name="LLMAPIFailures",
        expression=(
            'sum(rate(llm_requests_total{outcome!="success"}[5m]))'
            " / sum(rate(llm_requests_total[5m])) > 0.1"
        ),
        for_seconds=120,
        severity=Urgency.WARNING,
        summary="LLM calls fail",
        description=(
            "{{ $value | humanizePercentage }} of the LLM calls of the last 5 minutes failed."
        ),
        runbook=_runbook("LLMAPIFailures"),
        drill="llm-errors",
    ),
    Alert(
        name="LLMSlow",
        expression=(
            "histogram_quantile(0.95,"
            " sum by (le) (rate(llm_request_duration_seconds_bucket[5m]))) > 10"
        ),
        for_seconds=60,
        severity=Urgency.WARNING,
        summary="LLM calls are slow",
        description="One LLM call in twenty takes longer than {{ $value | humanizeDuration }}.",
        runbook=_runbook("LLMSlow"),
        drill="llm-slow",
    ),
    Alert(
        name="LLMCostHigh",
        expression="sum(increase(llm_cost_usd_total[1h])) > 5",
        severity=Urgency.WARNING,
        summary="LLM calls cost more than planned",
        description='The last hour of LLM calls cost {{ $value | printf "%.2f" }} US dollars.',
        runbook=_runbook("LLMCostHigh"),
        drill="traffic-surge",
    ),
    Alert(
        name="QueueStalled",
        expression="max by (queue) (queue_depth) > 50",
        for_seconds=300,
        severity=Urgency.WARNING,
        summary="The queue {{ $labels.queue }} grows",
        description="{{ $value }} jobs wait for a worker.",
        runbook=_runbook("QueueStalled"),
        drill="queue-stalled",
    ),
    Alert(
        name="JourneyFailing",
        expression=(
            "min by (journey) (journey_success) == 0"
            ' or absent(journey_success{journey="optimize_resume"})'
        ),
        for_seconds=90,
        severity=Urgency.CRITICAL,
        summary="The journey {{ $labels.journey }} fails",
        description="A synthetic user could not get from login to a finished resume.",
        runbook=_runbook("JourneyFailing"),
        drill="database-down",
    ),
    Alert(
        name="TelemetryDropped",
        expression="sum by (job, signal) (rate(telemetry_dropped_total[5m])) > 0",
        for_seconds=300,
        severity=Urgency.WARNING,
        summary="{{ $labels.job }} loses {{ $labels.signal }}",
        description="{{ $value | humanize }} records a second do not leave the process.",
        runbook=_runbook("TelemetryDropped"),
    ),
    Alert(
        name="TargetDown",
        expression="up == 0",
        for_seconds=60,
        severity=Urgency.CRITICAL,
        summary="{{ $labels.job }} does not answer",
        description="{{ $labels.instance }} of {{ $labels.job }} has not answered for a minute.",
        runbook=_runbook("TargetDown"),
        drill="worker-killed",
    ),
    Alert(
        name="Watchdog",
        expression="vector(1)",
        severity=Urgency.NONE,
        summary="The alerting works",
        description="Fires always; whoever stops hearing it knows that the alerting is broken.",
        runbook=_runbook("Watchdog"),
    ),
)
