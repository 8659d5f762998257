"""The watched process itself, read from the system at scrape."""

from watchkeeper.contract import (
    Alert,
    Annotation,
    Combine,
    Counter,
    Gauge,
    Label,
    Panel,
    Part,
    Query,
    Row,
    Runbook,
    Signals,
    Threshold,
    Urgency,
    Variable,
)

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
GENERATION = Label("generation", values=("0", "1", "2"))
GC_COLLECTIONS = Counter(
    name="python_gc_collections_total",
    help="How often Python's garbage collector ran, by generation.",
    labels=(GENERATION,),
)
GC_COLLECTED = Counter(
    name="python_gc_objects_collected_total",
    help="Objects that the garbage collector freed.",
    labels=(GENERATION,),
)
GC_UNCOLLECTABLE = Counter(
    name="python_gc_objects_uncollectable_total",
    help="Objects that the garbage collector found and could not free.",
    labels=(GENERATION,),
)
"""The names are those that prometheus_client gives them."""

_RUNNING = "max by (version, environment) (service_info"
DEPLOYS = Annotation(
    name="Deploys",
    expression=f"{_RUNNING}) unless {_RUNNING} offset 5m)",
    title="{{version}}",
    text="{{environment}}",
)
"""A version that did not run five minutes ago."""

SIGNALS = Signals(
    metrics=(
        *(MEMORY, CPU, THREADS, OPEN_FILES, START_TIME, INFO, LOOP_LAG),
        *(GC_COLLECTIONS, GC_COLLECTED, GC_UNCOLLECTABLE),
    )
)

JOB = Variable(name="job", title="Job", metric=MEMORY.name, label="job")


def row(memory_bytes: float) -> Row:
    """Return what processes use, with a line at `memory_bytes`."""
    return Row(
        "Processes",
        (
            Panel(
                title="Memory usage",
                description="What the processes of each job really hold (resident set).",
                queries=(
                    Query(f'sum by (job) ({MEMORY.name}{{type="rss",job=~"$job"}})', "{{job}}"),
                ),
                unit="bytes",
                thresholds=(Threshold(0, "green"), Threshold(memory_bytes, "red")),
                width=8,
            ),
            Panel(
                title="CPU usage",
                description="CPU of each job; 100 is one core.",
                queries=(Query(f'sum by (job) ({CPU.name}{{job=~"$job"}})', "{{job}}"),),
                unit="percent",
                width=8,
            ),
            Panel(
                title="Event loop lag",
                description="How late timers ran: what everything in a process waits.",
                queries=(Query(f'max by (job) ({LOOP_LAG.name}{{job=~"$job"}})', "{{job}}"),),
                unit="s",
                width=8,
            ),
        ),
    )


def watched(memory_bytes: float = 1.5 * 1024**3) -> Part:
    """Return the processes with an alert on a job that holds more than `memory_bytes`."""
    return Part(
        name="process",
        signals=SIGNALS,
        rows=(row(memory_bytes),),
        variables=(JOB,),
        annotations=(DEPLOYS,),
        alerts=(
            Alert(
                name="HighMemoryUsage",
                expression=(
                    f'sum by (job) ({MEMORY.name}{{type="rss"}})'
                    f" > {memory_bytes / 1024**3:g} * 1024 ^ 3"
                ),
                for_seconds=300,
                severity=Urgency.WARNING,
                summary="High memory usage of {{ $labels.job }}",
                description="The processes of {{ $labels.job }} hold {{ $value | humanize1024 }}B.",
            ),
        ),
        runbooks=(
            Runbook(
                "HighMemoryUsage",
                "The processes of one job hold more memory than planned.",
                (
                    "Look at *Memory usage*: did it climb slowly (a leak) or at once (much work)?",
                    "Restart its processes one by one.",
                ),
            ),
        ),
    )
