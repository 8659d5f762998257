"""A queue of background work."""

from watchkeeper.contract import (
    Alert,
    Combine,
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

ROW = Row(
    "Queue",
    (
        Panel(
            title="Queue length",
            description="Entries that wait for a worker.",
            queries=(Query(f"max by (queue) ({DEPTH.name})", "{{queue}}"),),
            width=8,
        ),
        Panel(
            title="Time in the queue",
            description="How long 95 of a hundred entries wait at most.",
            queries=(Query(quantile(0.95, WAIT.name, "queue"), "{{queue}}"),),
            unit="s",
            width=8,
        ),
        Panel(
            title="Refused by the queue",
            description="Entries refused over the last hour because the queue was full.",
            queries=(Query(f"sum(increase({REJECTED.name}[1h])) or vector(0)", "refused"),),
            width=8,
        ),
    ),
)


def watched(longest: int = 50) -> Part:
    """Return the queue with an alert on more than `longest` entries that wait."""
    return Part(
        name="queue",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=(
            Alert(
                name="QueueStalled",
                expression=f"max by (queue) ({DEPTH.name}) > {longest}",
                for_seconds=300,
                severity=Urgency.WARNING,
                summary="The queue {{ $labels.queue }} grows",
                description="{{ $value }} jobs wait for a worker.",
            ),
        ),
        runbooks=(
            Runbook(
                "QueueStalled",
                "More work waits than the workers take.",
                (
                    "Look at *Queue length* and *Jobs ended*: are workers alive, are jobs slow?",
                    "Start workers; if work fails and comes back, mend that first.",
                ),
            ),
        ),
    )
