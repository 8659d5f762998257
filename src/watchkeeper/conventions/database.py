"""A SQL database and the pool of connections to it."""

from watchkeeper.contract import (
    Alert,
    Counter,
    Gauge,
    Histogram,
    Label,
    Panel,
    Part,
    Query,
    Row,
    Runbook,
    Signals,
    Span,
    Urgency,
)
from watchkeeper.conventions.queries import quantile
from watchkeeper.model import SpanKind

QUERY_TYPE = Label(
    "query_type",
    values=("select", "insert", "update", "delete", "copy", "transaction", "ddl"),
)
ERROR_TYPE = Label(
    "error_type",
    values=(
        "connection",
        "constraint",
        "syntax",
        "resources",
        "cancelled",
        "serialization",
        "timeout",
    ),
)

CONNECTIONS_ACTIVE = Gauge(
    name="db_connections_active", help="Connections of the pool that are running something."
)
CONNECTIONS_IDLE = Gauge(
    name="db_connections_idle", help="Connections of the pool that are open and free."
)
CONNECTIONS_MAX = Gauge(
    name="db_connections_max", help="Connections that the pool may open at the most."
)
ACQUIRE_DURATION = Histogram(
    name="db_acquire_duration_seconds",
    help="Time that work waited for a connection from the pool.",
    unit="seconds",
    buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)
QUERY_DURATION = Histogram(
    name="db_query_duration_seconds",
    help="Time of a database query, failed ones too.",
    labels=(QUERY_TYPE,),
    unit="seconds",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)
QUERY_ERRORS = Counter(
    name="db_query_errors_total",
    help="Database queries that failed, by class of SQLSTATE.",
    labels=(ERROR_TYPE,),
)
QUERY_SPAN = Span(
    "SQL query",
    "One statement, named by its verb and table; its text without values.",
    SpanKind.CLIENT,
    attributes=(
        "db.system.name",
        "db.operation.name",
        "db.query.text",
        "db.namespace",
        "db.response.status_code",
        "error.type",
    ),
)

SIGNALS = Signals(
    metrics=(
        CONNECTIONS_ACTIVE,
        CONNECTIONS_IDLE,
        CONNECTIONS_MAX,
        ACQUIRE_DURATION,
        QUERY_DURATION,
        QUERY_ERRORS,
    ),
    spans=(QUERY_SPAN,),
)

ROW = Row(
    "Database",
    (
        Panel(
            title="Database queries",
            description="How long 95 of a hundred queries take at most, by type.",
            queries=(Query(quantile(0.95, QUERY_DURATION.name, "query_type"), "{{query_type}}"),),
            unit="s",
            width=8,
        ),
        Panel(
            title="Database connections",
            description="Connections in use and free, and the most there may be.",
            queries=(
                Query(f"sum({CONNECTIONS_ACTIVE.name})", "in use"),
                Query(f"sum({CONNECTIONS_IDLE.name})", "free"),
                Query(f"sum({CONNECTIONS_MAX.name})", "most"),
            ),
            width=8,
        ),
        Panel(
            title="Database errors",
            description="Queries that failed, a second, by class of error.",
            queries=(
                Query(f"sum by (error_type) (rate({QUERY_ERRORS.name}[5m]))", "{{error_type}}"),
            ),
            unit="ops",
            width=8,
        ),
    ),
)


def watched(in_use_ratio: float = 0.9) -> Part:
    """Return the database with an alert on a pool of which more than `in_use_ratio` is used."""
    used = f"sum by (job) ({CONNECTIONS_ACTIVE.name}) / sum by (job) ({CONNECTIONS_MAX.name})"
    return Part(
        name="database",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=(
            Alert(
                name="DatabasePoolExhausted",
                expression=f"{used} > {in_use_ratio:g}",
                for_seconds=120,
                severity=Urgency.WARNING,
                summary="Database connections run out in {{ $labels.job }}",
                description=(
                    "{{ $value | humanizePercentage }} of the pool's connections are in use."
                ),
            ),
        ),
        runbooks=(
            Runbook(
                "DatabasePoolExhausted",
                "Nearly all connections of the pool have been in use for two minutes.",
                (
                    "Look at *Database queries* for one slow type, and traces with long SQL spans.",
                    "A slow query: cancel it. More load than before: allow more connections.",
                ),
            ),
        ),
    )
