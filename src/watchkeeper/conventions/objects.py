"""An object store, such as S3."""

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

OPERATION = Label("operation", values=("put", "get", "head", "list", "delete"))

OPERATION_DURATION = Histogram(
    name="object_operation_duration_seconds",
    help="Time of an object store operation, failed ones too.",
    labels=(OPERATION,),
    unit="seconds",
)
ERRORS = Counter(
    name="object_errors_total",
    help="Object store operations that failed; an object that is not there is no failure.",
    labels=(OPERATION,),
)
STORAGE_COST = Counter(
    name="storage_cost_usd_total",
    help="Cost of storage in US dollars: requests as they happen, kept bytes as time passes.",
    labels=(Label("storage_type", values=("objects", "requests")),),
)
OPERATION_SPAN = Span(
    "object store operation",
    "One operation on one object.",
    SpanKind.CLIENT,
    attributes=(
        "rpc.system",
        "aws.s3.bucket",
        "object.operation",
        "object.size_bytes",
        "error.type",
    ),
)

SIGNALS = Signals(metrics=(OPERATION_DURATION, ERRORS, STORAGE_COST), spans=(OPERATION_SPAN,))

ROW = Row(
    "Object store",
    (
        Panel(
            title="Object store operations",
            description="How long 95 of a hundred take at most.",
            queries=(Query(quantile(0.95, OPERATION_DURATION.name, "operation"), "{{operation}}"),),
            unit="s",
        ),
        Panel(
            title="Object store errors",
            description="What failed, a second.",
            queries=(Query(f"sum by (operation) (rate({ERRORS.name}[5m]))", "{{operation}}"),),
            unit="ops",
        ),
    ),
)
COST_ROW = Row(
    "Cost of storage",
    (
        Panel(
            title="Storage costs",
            description="US dollars an hour for kept bytes and requests.",
            queries=(
                Query(
                    f"sum by (storage_type) (increase({STORAGE_COST.name}[1h]))",
                    "{{storage_type}}",
                ),
            ),
            unit="currencyUSD",
        ),
    ),
)


def watched(error_ratio: float = 0.1) -> Part:
    """Return the object store with an alert on more failures than `error_ratio`."""
    failed = share(ERRORS.name, f"{OPERATION_DURATION.name}_count")
    return Part(
        name="objects",
        signals=SIGNALS,
        rows=(ROW, COST_ROW),
        alerts=(
            Alert(
                name="ObjectStoreErrors",
                expression=f"{failed} > {error_ratio:g}",
                for_seconds=120,
                severity=Urgency.WARNING,
                summary="Object store operations fail",
                description=(
                    "{{ $value | humanizePercentage }} of the operations of the last 5 minutes"
                    " failed."
                ),
            ),
        ),
        runbooks=(
            Runbook(
                "ObjectStoreErrors",
                "The object store refuses operations or does not answer.",
                (
                    "Look at *Object store errors*: a kind that is new, or all of them?",
                    "Is it up, has it room, did credentials or limits change?",
                ),
            ),
        ),
    )
