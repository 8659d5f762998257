"""The backend's own metrics, declared as any service declares its signals.

Prometheus' names for a process apart, all begin with `watchkeeper_`.
"""

from __future__ import annotations

from itertools import product

from watchkeeper.contract import Counter, Gauge, Histogram, Label, Signals

PROTOCOL = Label(
    "protocol",
    values=(
        "prometheus",
        "jaeger",
        "alertmanager",
        "otlp",
        "elasticsearch",
        "api",
        "page",
        "assets",
        "metrics",
        "healthz",
    ),
)
SIGNAL = Label("signal", values=("samples", "logs", "spans"))
INTEGRATION = Label("integration", values=("webhook", "slack", "email", "pagerduty"))
OUTCOME = Label("outcome", values=("delivered", "failed"))
GROUP = Label("rule_group", limit=200)

REQUESTS = Counter(
    name="watchkeeper_http_requests_total",
    help="HTTP requests that the backend answered.",
    labels=(PROTOCOL, Label("code", pattern=r"[1-5]\d\d", limit=60)),
)
REQUEST_DURATION = Histogram(
    name="watchkeeper_http_request_duration_seconds",
    help="Time from a request's arrival to the end of its answer; live tails last long.",
    labels=(PROTOCOL,),
    unit="seconds",
)
RECEIVED = Counter(
    name="watchkeeper_received_total",
    help="Samples, log records and spans that came in and were kept.",
    labels=(SIGNAL,),
)
REFUSED = Counter(
    name="watchkeeper_refused_total",
    help="Samples, log records and spans that were not kept, by reason.",
    labels=(SIGNAL, Label("reason", limit=20)),
)
LIMITED = Counter(
    name="watchkeeper_limited_total",
    help="What a tenant's limit, or that of all, refused: requests, series, spans or log records; "
    "and the label, attribute or signal that did it.",
    labels=(Label("tenant", limit=100), Label("limit", limit=20), Label("label", limit=200)),
)
STORED = Counter(
    name="watchkeeper_stored_total",
    help="Samples, log records and spans written since the start, rules' own samples included.",
    labels=(SIGNAL,),
)
SERIES = Gauge(name="watchkeeper_series", help="Series that have samples in memory.")
HOT_BYTES = Gauge(
    name="watchkeeper_hot_bytes",
    help="Data in memory that waits to be moved into segments; it is in the journal already.",
    unit="bytes",
)
DISK_BYTES = Gauge(
    name="watchkeeper_disk_bytes",
    help="Bytes on disk, by what they hold.",
    labels=(Label("part", limit=10),),
    unit="bytes",
)
HOT_LIMIT_BYTES = Gauge(
    name="watchkeeper_hot_limit_bytes",
    help="How much may wait to be moved into segments until nothing more is taken in.",
    unit="bytes",
)
LAG = Gauge(
    name="watchkeeper_wal_lag_seconds",
    help="For how long the oldest record of the write-ahead log has waited to be in a segment.",
    unit="seconds",
)
BATCHES = Counter(
    name="watchkeeper_batches_total", help="Batches that were written and synchronised to disk."
)
BATCH_SECONDS = Counter(
    name="watchkeeper_batch_seconds_total",
    help="Time that batches took until they were on disk, all in all.",
    unit="seconds",
)
BATCHES_WAITING = Gauge(
    name="watchkeeper_batches_waiting", help="Batches that wait for the disk now."
)
DISK_FREE = Gauge(
    name="watchkeeper_disk_free_bytes",
    help="Bytes that may still be written to the file system of the data.",
    unit="bytes",
)
DISK_SIZE = Gauge(
    name="watchkeeper_disk_size_bytes",
    help="Size of the file system of the data.",
    unit="bytes",
)
STORE_REFUSED = Counter(
    name="watchkeeper_store_refused_total",
    help="Samples, log records and spans that the store did not keep, by reason, those of rules "
    "included.",
    labels=(
        Label("reason", values=("out_of_order", "duplicate", "too_old", "store_full", "overload")),
    ),
)
FLUSHES = Counter(name="watchkeeper_flushes_total", help="Moves of hot data into segments.")
FLUSH_FAILURES = Counter(
    name="watchkeeper_flush_failures_total", help="Moves of hot data that failed; it stays hot."
)
FLUSH_SECONDS = Counter(
    name="watchkeeper_flush_seconds_total",
    help="Time spent moving hot data into segments.",
    unit="seconds",
)
MERGES = Counter(name="watchkeeper_merges_total", help="Merges of several small segments into one.")
MERGE_FAILURES = Counter(
    name="watchkeeper_merge_failures_total",
    help="Merges that failed; the segments stay as they were.",
)
MERGE_SECONDS = Counter(
    name="watchkeeper_merge_seconds_total", help="Time spent merging segments.", unit="seconds"
)
DAMAGE = Gauge(
    name="watchkeeper_damaged_files", help="Files that failed their checksum and were set aside."
)
TARGETS = Gauge(
    name="watchkeeper_targets",
    help="Scrape targets by health; one that may be starting is unknown, for a minute at the most.",
    labels=(Label("scrape_job", limit=100), Label("health", values=("up", "down", "unknown"))),
)
EVALUATIONS = Counter(
    name="watchkeeper_rule_evaluations_total",
    help="Evaluations of a rule group.",
    labels=(GROUP,),
)
EVALUATION_FAILURES = Counter(
    name="watchkeeper_rule_failures_total",
    help="Evaluations of single rules that failed.",
    labels=(GROUP,),
)
EVALUATIONS_MISSED = Counter(
    name="watchkeeper_rule_evaluations_missed_total",
    help="Moments at which a group was due and could not be evaluated.",
    labels=(GROUP,),
)
EVALUATION_DURATION = Gauge(
    name="watchkeeper_rule_evaluation_last_duration_seconds",
    help="Time that the last evaluation of a group took.",
    labels=(GROUP,),
    unit="seconds",
)
EVALUATION_TIME = Gauge(
    name="watchkeeper_rule_evaluation_last_timestamp_seconds",
    help="When a group was last evaluated, since the Unix epoch.",
    labels=(GROUP,),
    unit="seconds",
)
NOTIFICATIONS = Counter(
    name="watchkeeper_notifications_total",
    help="Notifications by integration and how they ended.",
    labels=(INTEGRATION, OUTCOME),
)
NOTIFICATION_WAYS = tuple(product(INTEGRATION.values, OUTCOME.values))
"""Every pair that NOTIFICATIONS counts, so that none delivered yet is a zero."""

RELOAD_OK = Gauge(
    name="watchkeeper_config_last_reload_successful",
    help="1 if the configuration files were last read without an error, else 0.",
)
MEMORY = Gauge(
    name="process_resident_memory_bytes",
    help="Memory that the backend's process holds.",
    unit="bytes",
)
CPU = Counter(
    name="process_cpu_seconds_total",
    help="CPU time that the backend's process has used.",
    unit="seconds",
)
OPEN_FILES = Gauge(name="process_open_fds", help="Open file descriptors.")

SIGNALS = Signals(
    metrics=(
        *(REQUESTS, REQUEST_DURATION, RECEIVED, REFUSED, LIMITED, STORED, SERIES),
        *(HOT_BYTES, HOT_LIMIT_BYTES, LAG, BATCHES, BATCH_SECONDS, BATCHES_WAITING),
        *(DISK_BYTES, DISK_FREE, DISK_SIZE, STORE_REFUSED),
        *(FLUSHES, FLUSH_FAILURES, FLUSH_SECONDS, MERGES, MERGE_FAILURES, MERGE_SECONDS, DAMAGE),
        *(TARGETS, EVALUATIONS, EVALUATION_FAILURES, EVALUATIONS_MISSED, EVALUATION_DURATION),
        *(EVALUATION_TIME, NOTIFICATIONS, RELOAD_OK, MEMORY, CPU, OPEN_FILES),
    )
)
