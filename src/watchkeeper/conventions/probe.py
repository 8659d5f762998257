"""Synthetic probes: a journey that a user would make, made again and again."""

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

ROW = Row(
    "Journeys",
    (
        Panel(
            title="Journey",
            description="How long each step of the synthetic journey takes.",
            queries=(
                Query(
                    f"sum by (step) (rate({STEP_DURATION.name}_sum[5m]))"
                    f" / sum by (step) (rate({STEP_DURATION.name}_count[5m]))",
                    "{{step}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            title="Journeys that failed",
            description="Runs of the last hour that did not reach their end.",
            queries=(Query(f"sum(increase({STEP_FAILURES.name}[1h])) or vector(0)", "failed"),),
        ),
    ),
)


def watched(journey: str, story: str = "A synthetic user could not finish.") -> Part:
    """Return a probe with an alert that fires while `journey` fails, or nobody makes it."""
    return Part(
        name="probe",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=(
            Alert(
                name="JourneyFailing",
                expression=(
                    f"min by (journey) ({SUCCESS.name}) == 0"
                    f' or absent({SUCCESS.name}{{journey="{journey}"}})'
                ),
                for_seconds=90,
                severity=Urgency.CRITICAL,
                summary="The journey {{ $labels.journey }} fails",
                description=story,
            ),
        ),
        runbooks=(
            Runbook(
                "JourneyFailing",
                f"{story} Real people cannot either.",
                (
                    "The log line of the failed run names the step; open its trace.",
                    "Does the probe itself run? Its target must be up.",
                ),
            ),
        ),
    )
