"""A key-value cache that speaks the Redis protocol."""

from watchkeeper.contract import Counter, Histogram, Label, Signals, Span
from watchkeeper.model import SpanKind

COMMAND_DURATION = Histogram(
    name="cache_command_duration_seconds",
    help="Time of a cache command, failed ones too.",
    labels=(Label("command", pattern=r"[A-Z]+", limit=40),),
    unit="seconds",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0),
)
ERRORS = Counter(
    name="cache_errors_total",
    help="Cache commands that failed.",
    labels=(Label("error_type", values=("connection", "timeout", "response")),),
)
COMMAND_SPAN = Span(
    "cache command",
    "One command, named by its verb; never its keys or values.",
    SpanKind.CLIENT,
    attributes=("db.system.name", "db.operation.name", "error.type"),
)

SIGNALS = Signals(metrics=(COMMAND_DURATION, ERRORS), spans=(COMMAND_SPAN,))
