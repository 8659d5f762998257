"""A SQL database and the pool of connections to it."""

from watchkeeper.contract import Counter, Gauge, Histogram, Label, Signals, Span
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
