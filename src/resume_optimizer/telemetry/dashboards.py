"""What a person looks at: is the application well, and does it do its work."""

from watchkeeper.contract import (
    Dashboard,
    Panel,
    PanelKind,
    Query,
    Row,
    Threshold,
    Variable,
)
from watchkeeper.conventions import process

ERROR_RATIO = (
    '(sum(rate(http_requests_total{status_code=~"5.."}[5m])) or vector(0))'
    " / sum(rate(http_requests_total[5m]))"
)
SUCCESS_RATIO = (
    'sum(rate(resume_optimizations_total{status="success"}[1h]))'
    ' / sum(rate(resume_optimizations_total{status!="rejected"}[1h]))'
)
GOOD_BELOW_ONE_PERCENT = (
    Threshold(0, "green"),
    Threshold(0.01, "orange"),
    Threshold(0.05, "red"),
)


def _quantiles(metric: str, by: str = "") -> tuple[Query, ...]:
    """Return the median, 95th and 99th percentile of a histogram, split `by` a label."""
    labels = f"le, {by}" if by else "le"
    legend = f"{{{{{by}}}}} " if by else ""
    return tuple(
        Query(
            f"histogram_quantile({quantile}, sum by ({labels}) (rate({metric}_bucket[5m])))",
            f"{legend}{name}",
        )
        for quantile, name in (
            (0.5, "median"),
            (0.95, "95th percentile"),
            (0.99, "99th percentile"),
        )
    )


REQUESTS = Row(
    "Requests",
    (
        Panel(
            title="Request rate",
            description="Requests a second by method and route template.",
            queries=(
                Query(
                    "sum by (method, endpoint) (rate(http_requests_total[5m]))",
                    "{{method}} {{endpoint}}",
                ),
            ),
            unit="reqps",
        ),
        Panel(
            title="Response time",
            description="How long requests take: half, 95 and 99 of a hundred are faster.",
            queries=_quantiles("http_request_duration_seconds"),
            unit="s",
        ),
    ),
)
NOW = Row(
    "Now",
    (
        Panel(
            title="Error rate",
            description="Share of requests answered with a server error, over 5 minutes.",
            kind=PanelKind.STAT,
            queries=(Query(ERROR_RATIO, "errors"),),
            unit="percentunit",
            thresholds=GOOD_BELOW_ONE_PERCENT,
            width=6,
            height=4,
        ),
        Panel(
            title="Active jobs",
            description="Jobs that have not ended, by status.",
            kind=PanelKind.STAT,
            queries=(Query("max by (status) (active_jobs_total)", "{{status}}"),),
            width=6,
            height=4,
        ),
        Panel(
            title="Dependencies",
            description="Whether each dependency answers its check.",
            value_names={1: "up", 0: "down"},
            kind=PanelKind.STAT,
            queries=(Query("min by (dependency) (dependency_up)", "{{dependency}}"),),
            thresholds=(Threshold(0, "red"), Threshold(1, "green")),
            width=12,
            height=4,
        ),
    ),
)
JOB = Variable(name="job", title="Job", metric="memory_usage_bytes", label="job")
PROCESSES = Row(
    "Processes",
    (
        Panel(
            title="Memory usage",
            description="What the processes of each job really hold (resident set).",
            queries=(
                Query('sum by (job) (memory_usage_bytes{type="rss",job=~"$job"})', "{{job}}"),
            ),
            unit="bytes",
            thresholds=(Threshold(0, "green"), Threshold(1.5 * 1024**3, "red")),
        ),
        Panel(
            title="CPU usage",
            description="CPU of each job; 100 is one core.",
            queries=(Query('sum by (job) (cpu_usage_percent{job=~"$job"})', "{{job}}"),),
            unit="percent",
        ),
    ),
)
STORES = Row(
    "Database, cache and objects",
    (
        Panel(
            title="Database queries",
            description="How long 95 of a hundred queries take at most, by type.",
            queries=(
                Query(
                    "histogram_quantile(0.95,"
                    " sum by (le, query_type) (rate(db_query_duration_seconds_bucket[5m])))",
                    "{{query_type}}",
                ),
            ),
            unit="s",
            width=8,
        ),
        Panel(
            title="Database connections",
            description="Connections in use and free, and the most there may be.",
            queries=(
                Query("sum(db_connections_active)", "in use"),
                Query("sum(db_connections_idle)", "free"),
                Query("sum(db_connections_max)", "most"),
            ),
            width=8,
        ),
        Panel(
            title="Failures of dependencies",
            description="Failed operations a second, by kind of store.",
            queries=(
                Query("sum(rate(db_query_errors_total[5m]))", "database"),
                Query("sum(rate(cache_errors_total[5m]))", "cache"),
                Query("sum(rate(object_errors_total[5m]))", "objects"),
            ),
            unit="ops",
            width=8,
        ),
    ),
)
MODELS = Row(
    "Language models",
    (
        Panel(
            title="LLM response time",
            description="How long calls to each model take.",
            queries=_quantiles("llm_request_duration_seconds", "model"),
            unit="s",
            width=8,
        ),
        Panel(
            title="LLM calls by outcome",
            description="Calls a second by how they ended.",
            queries=(Query("sum by (outcome) (rate(llm_requests_total[5m]))", "{{outcome}}"),),
            unit="reqps",
            width=8,
        ),
        Panel(
            title="LLM tokens",
            description="Tokens a second by type; cached and reasoning tokens are counted once.",
            queries=(Query("sum by (type) (rate(llm_tokens_total[5m]))", "{{type}}"),),
            width=8,
        ),
    ),
)
APPLICATION = Dashboard(
    uid="resume-optimizer-application",
    title="Resume Optimizer - Application Metrics",
    description="Is the application well: requests, jobs, dependencies, processes.",
    rows=(REQUESTS, NOW, PROCESSES, STORES, MODELS),
    variables=(JOB,),
    annotations=(process.DEPLOYS,),
)

WORK = Row(
    "Optimizations",
    (
        Panel(
            title="Resume optimizations",
            description="Finished optimizations a second by outcome and kind of company.",
            queries=(
                Query(
                    "sum by (status, company_type) (rate(resume_optimizations_total[1h]))",
                    "{{status}} - {{company_type}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            title="Success rate",
            description="Share of the optimizations of the last hour that succeeded.",
            kind=PanelKind.STAT,
            queries=(Query(SUCCESS_RATIO, "succeeded"),),
            unit="percentunit",
            thresholds=(Threshold(0, "red"), Threshold(0.9, "orange"), Threshold(0.99, "green")),
            width=6,
            height=4,
        ),
        Panel(
            title="Match score",
            description="Mean match score of the resumes finished in the last hour, 0 to 100.",
            kind=PanelKind.GAUGE,
            queries=(
                Query(
                    "sum(rate(resume_match_score_points_sum[1h]))"
                    " / sum(rate(resume_match_score_points_count[1h]))",
                    "points",
                ),
            ),
            thresholds=(Threshold(0, "red"), Threshold(50, "orange"), Threshold(70, "green")),
            width=6,
            height=4,
        ),
    ),
)
PEOPLE = Row(
    "People",
    (
        Panel(
            title="User registrations",
            description="Registrations over the last hour.",
            queries=(Query("sum(increase(user_registrations_total[1h]))", "registrations"),),
            width=8,
        ),
        Panel(
            title="Logins",
            description="Logins and refused logins over the last hour.",
            queries=(
                Query("sum by (method) (increase(user_logins_total[1h]))", "{{method}}"),
                Query("sum by (reason) (increase(user_login_failures_total[1h]))", "{{reason}}"),
            ),
            width=8,
        ),
        Panel(
            title="Rate limit hits",
            description="Calls refused because a limit was reached, over the last hour.",
            queries=(
                Query("sum(increase(api_rate_limit_hits_total[1h])) or vector(0)", "refused"),
            ),
            width=8,
        ),
    ),
)
MONEY = Row(
    "Money",
    (
        Panel(
            title="LLM costs",
            description="US dollars an hour by provider and model, at today's prices.",
            queries=(
                Query(
                    "sum by (provider, model) (increase(llm_cost_usd_total[1h]))",
                    "{{provider}} - {{model}}",
                ),
            ),
            unit="currencyUSD",
        ),
        Panel(
            title="Storage costs",
            description="US dollars an hour for kept bytes and requests.",
            queries=(
                Query(
                    "sum by (storage_type) (increase(storage_cost_usd_total[1h]))",
                    "{{storage_type}}",
                ),
            ),
            unit="currencyUSD",
        ),
    ),
)
FILES = Row(
    "Files and journeys",
    (
        Panel(
            title="Files processed",
            description="Files over the last hour by type and how reading them went.",
            queries=(
                Query(
                    "sum by (file_type, status) (increase(files_processed_total[1h]))",
                    "{{file_type}} {{status}}",
                ),
            ),
            width=8,
        ),
        Panel(
            title="Processing time",
            description="Mean time of the worker on a resume.",
            queries=(
                Query(
                    "sum(rate(resume_processing_seconds_sum[5m]))"
                    " / sum(rate(resume_processing_seconds_count[5m]))",
                    "mean",
                ),
            ),
            unit="s",
            width=8,
        ),
        Panel(
            title="Journey",
            description="How long each step of the synthetic journey takes.",
            queries=(
                Query(
                    "sum by (step) (rate(journey_step_duration_seconds_sum[5m]))"
                    " / sum by (step) (rate(journey_step_duration_seconds_count[5m]))",
                    "{{step}}",
                ),
            ),
            unit="s",
            width=8,
        ),
    ),
)
BUSINESS = Dashboard(
    uid="resume-optimizer-business",
    title="Resume Optimizer - Business Metrics",
    description="Does it do its work: optimizations, people, money, journeys.",
    rows=(WORK, PEOPLE, MONEY, FILES),
    annotations=(process.DEPLOYS,),
)
