"""What the instrumentation says about itself: nothing that is lost is lost in silence."""

from watchkeeper.contract import Counter, Gauge, Label, Signals

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
FAULTS = Counter(
    name="telemetry_faults_total",
    help="Errors inside the instrumentation that were kept from the service.",
    labels=(Label("where", limit=50),),
)

SIGNALS = Signals(metrics=(DROPPED, EXPORTED, QUEUED, FOLDED, REDACTED, FAULTS))
