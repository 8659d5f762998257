"""A queue of background work."""

from watchkeeper.contract import Combine, Counter, Gauge, Histogram, Label, Signals, Span
from watchkeeper.model import SpanKind

QUEUE = Label("queue", limit=20)

DEPTH = Gauge(
    name="queue_depth",
    help="Entries that wait for a worker.",
    labels=(QUEUE,),
    combine=Combine.LATEST,
)
WAIT = Histogram(
    name="queue_wait_seconds",
    help="Time from the entry into the queue to the start of the work.",
    labels=(QUEUE,),
    unit="seconds",
    buckets=(0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0),
)
REJECTED = Counter(
    name="queue_rejected_total",
    help="Entries refused because the queue was full.",
    labels=(QUEUE,),
)
ENQUEUE_SPAN = Span(
    "enqueue",
    "Work put into a queue.",
    SpanKind.PRODUCER,
    attributes=("messaging.destination.name",),
)
PROCESS_SPAN = Span(
    "process",
    "One attempt at work taken from a queue.",
    SpanKind.CONSUMER,
    attributes=("messaging.destination.name", "messaging.message.id", "job.attempt"),
)

SIGNALS = Signals(metrics=(DEPTH, WAIT, REJECTED), spans=(ENQUEUE_SPAN, PROCESS_SPAN))
