"""Synthetic probes: a journey that a user would make, made again and again."""

from watchkeeper.contract import Combine, Counter, Gauge, Histogram, Label, Signals, Span

JOURNEY = Label("journey", limit=20)
STEP = Label("step", limit=40)

SUCCESS = Gauge(
    name="journey_success",
    help="1 if the last run of the journey succeeded, else 0.",
    labels=(JOURNEY,),
    combine=Combine.LATEST,
)
RUNS = Counter(
    name="journey_runs_total",
    help="Runs of the journey by outcome.",
    labels=(JOURNEY, Label("outcome", values=("success", "failure"))),
)
STEP_FAILURES = Counter(
    name="journey_step_failures_total",
    help="Runs that ended at this step.",
    labels=(JOURNEY, STEP),
)
STEP_DURATION = Histogram(
    name="journey_step_duration_seconds",
    help="Time of each step, failed ones too.",
    labels=(JOURNEY, STEP),
    unit="seconds",
)
LAST_RUN = Gauge(
    name="journey_last_run_timestamp_seconds",
    help="When the last run ended, since the Unix epoch.",
    labels=(JOURNEY,),
    unit="seconds",
    combine=Combine.LATEST,
)
RUN_SPAN = Span("journey", "One run of a journey.", attributes=("journey.name", "journey.outcome"))
STEP_SPAN = Span("journey step", "One step of a run.", attributes=("journey.step", "error.type"))

SIGNALS = Signals(
    metrics=(SUCCESS, RUNS, STEP_FAILURES, STEP_DURATION, LAST_RUN), spans=(RUN_SPAN, STEP_SPAN)
)
