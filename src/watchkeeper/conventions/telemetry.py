"""What the instrumentation says about itself: nothing that is lost is lost in silence."""

from watchkeeper.contract import (
    Alert,
    Counter,
    Gauge,
    Label,
    Panel,
    Part,
    Query,
    Row,
    Runbook,
    Signals,
    Urgency,
)

SIGNAL = Label("signal", values=("metrics", "spans", "logs"))

DROPPED = Counter(
    name="telemetry_dropped_total",
    help="Records that did not leave the process, by signal and reason.",
    labels=(
        SIGNAL,
        Label(
            "reason",
            values=(
                "queue_full",
                "tail_full",
                "export_failed",
                "encode_failed",
                "rejected",
                "spool_full",
                "spool_torn",
                "fault",
            ),
        ),
    ),
)
EXPORTED = Counter(
    name="telemetry_exported_total",
    help="Records that the backend acknowledged.",
    labels=(SIGNAL,),
)
QUEUED = Gauge(
    name="telemetry_queue_length",
    help="Records that wait for export.",
    labels=(SIGNAL,),
)
FOLDED = Counter(
    name="telemetry_folded_values_total",
    help="Label values that were not declared or too many, and became `other`.",
    labels=(Label("metric", limit=200), Label("label", limit=100)),
)
REDACTED = Counter(
    name="telemetry_redactions_total",
    help="Personal data and secrets removed before they left the process, by kind.",
    labels=(
        Label(
            "kind",
            values=(
                "email",
                "phone",
                "card",
                "national_id",
                "token",
                "password",
                "declared",
                "address",
            ),
        ),
    ),
)
CUT = Counter(
    name="telemetry_cut_values_total",
    help="Texts and nested values that were too long: what was left out is an ellipsis.",
)
FAULTS = Counter(
    name="telemetry_faults_total",
    help="Errors inside the instrumentation that were kept from the service.",
    labels=(Label("where", limit=50),),
)

SIGNALS = Signals(metrics=(DROPPED, EXPORTED, QUEUED, FOLDED, REDACTED, CUT, FAULTS))

ROW = Row(
    "Telemetry",
    (
        Panel(
            title="Telemetry lost",
            description="Records a second that did not leave the process, by signal and reason.",
            queries=(
                Query(
                    f"sum by (signal, reason) (rate({DROPPED.name}[5m]))", "{{signal}} {{reason}}"
                ),
            ),
            unit="ops",
        ),
        Panel(
            title="Label values folded",
            description="Values of the last hour that no label declares, or that were too many.",
            queries=(Query(f"sum(increase({FOLDED.name}[1h])) or vector(0)", "folded"),),
        ),
    ),
)


def watched() -> Part:
    """Return what watches the watching: lost records, targets that do not answer, a heartbeat."""
    return Part(
        name="telemetry",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=(
            Alert(
                name="TelemetryDropped",
                expression=f"sum by (job, signal) (rate({DROPPED.name}[5m])) > 0",
                for_seconds=300,
                severity=Urgency.WARNING,
                summary="{{ $labels.job }} loses {{ $labels.signal }}",
                description="{{ $value | humanize }} records a second do not leave the process.",
            ),
            Alert(
                name="TargetDown",
                expression="up == 0",
                for_seconds=60,
                severity=Urgency.CRITICAL,
                summary="{{ $labels.job }} does not answer",
                description=(
                    "{{ $labels.instance }} of {{ $labels.job }} has not answered for a minute."
                ),
            ),
            Alert(
                name="Watchdog",
                expression="vector(1)",
                severity=Urgency.NONE,
                summary="The alerting works",
                description=(
                    "Fires always; whoever stops hearing it knows that the alerting is broken."
                ),
            ),
        ),
        runbooks=(
            Runbook(
                "TelemetryDropped",
                "Spans or log lines do not reach the backend.",
                (
                    "Does the backend answer? Is it full, does it refuse (`watchkeeper health`)?",
                    "Look at *Telemetry lost* for the reason.",
                ),
            ),
            Runbook(
                "TargetDown",
                "A process does not answer its scrape: it is down, or cannot be reached.",
                ("Is it running? Its log says why not. Start it again.",),
            ),
            Runbook(
                "Watchdog",
                "Fires always. Act when it stops: then the alerting itself is broken.",
                ("Are the backend, its rules and its way to the receiver in order?",),
            ),
        ),
    )
