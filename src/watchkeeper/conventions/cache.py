"""A key-value cache that speaks the Redis protocol."""

from watchkeeper.contract import (
    Alert,
    Counter,
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
from watchkeeper.conventions.queries import quantile, share
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

ROW = Row(
    "Cache",
    (
        Panel(
            title="Cache commands",
            description="How long 95 of a hundred take at most.",
            queries=(Query(quantile(0.95, COMMAND_DURATION.name, "command"), "{{command}}"),),
            unit="s",
        ),
        Panel(
            title="Cache errors",
            description="What failed, a second.",
            queries=(Query(f"sum by (error_type) (rate({ERRORS.name}[5m]))", "{{error_type}}"),),
            unit="ops",
        ),
    ),
)


def watched(error_ratio: float = 0.1) -> Part:
    """Return the cache with an alert on more failures than `error_ratio`."""
    failed = share(ERRORS.name, f"{COMMAND_DURATION.name}_count")
    return Part(
        name="cache",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=(
            Alert(
                name="CacheErrors",
                expression=f"{failed} > {error_ratio:g}",
                for_seconds=120,
                severity=Urgency.WARNING,
                summary="Cache commands fail",
                description=(
                    "{{ $value | humanizePercentage }} of the commands of the last 5 minutes"
                    " failed."
                ),
            ),
        ),
        runbooks=(
            Runbook(
                "CacheErrors",
                "The cache refuses commands or does not answer.",
                (
                    "Look at *Cache errors*: a kind that is new, or all of them?",
                    "Is it up, has it room, did credentials or limits change?",
                ),
            ),
        ),
    )
