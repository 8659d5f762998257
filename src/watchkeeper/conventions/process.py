"""The watched process itself, read from the system at scrape."""

from watchkeeper.contract import Annotation, Combine, Gauge, Label, Signals

MEMORY = Gauge(
    name="memory_usage_bytes",
    help="Memory of the service's processes; `rss` is what they really hold.",
    labels=(Label("type", values=("rss", "virtual", "shared")),),
    unit="bytes",
)
# watchkeeper: allow non-base-unit: it is read as top prints it, 100 for one core
CPU = Gauge(
    name="cpu_usage_percent",
    help="CPU used, the mean of the last 15 seconds; 100 is one core.",
)
THREADS = Gauge(name="process_threads", help="Threads of the service's processes.")
OPEN_FILES = Gauge(name="process_open_fds", help="Open file descriptors.")
START_TIME = Gauge(
    name="process_start_time_seconds",
    help="When the oldest process of the service started, since the Unix epoch.",
    unit="seconds",
    combine=Combine.MAXIMUM,
)
INFO = Gauge(
    name="service_info",
    help="1, by the version and environment that run: a new version is a deploy.",
    labels=(Label("version", limit=20), Label("environment", limit=10)),
    combine=Combine.MAXIMUM,
)
LOOP_LAG = Gauge(
    name="event_loop_lag_seconds",
    help="How late the event loop ran a timer: what everything in the process waits.",
    unit="seconds",
    combine=Combine.MAXIMUM,
)

_RUNNING = "max by (version, environment) (service_info"
DEPLOYS = Annotation(
    name="Deploys",
    expression=f"{_RUNNING}) unless {_RUNNING} offset 5m)",
    title="{{version}}",
    text="{{environment}}",
)
"""A version that did not run five minutes ago."""

SIGNALS = Signals(metrics=(MEMORY, CPU, THREADS, OPEN_FILES, START_TIME, INFO, LOOP_LAG))
