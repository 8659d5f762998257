"""An object store, such as S3."""

from watchkeeper.contract import Counter, Histogram, Label, Signals, Span
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
