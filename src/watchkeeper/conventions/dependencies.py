"""The systems that a service cannot work without, and whether they answer it."""

from dataclasses import dataclass

from watchkeeper.contract import (
    Alert,
    Combine,
    Gauge,
    Label,
    Panel,
    PanelKind,
    Part,
    Query,
    Row,
    Runbook,
    Signals,
    Threshold,
    Urgency,
)

DEPENDENCY = Label("dependency", limit=20)

UP = Gauge(
    name="dependency_up",
    help="1 if the dependency answered its last check, else 0.",
    labels=(DEPENDENCY,),
    combine=Combine.LATEST,
)
CHECK_DURATION = Gauge(
    name="dependency_check_duration_seconds",
    help="Time of the last check.",
    labels=(DEPENDENCY,),
    unit="seconds",
    combine=Combine.LATEST,
)

SIGNALS = Signals(metrics=(UP, CHECK_DURATION))

ROW = Row(
    "Dependencies",
    (
        Panel(
            title="Dependencies",
            description="Whether each dependency answers its check.",
            value_names={1: "up", 0: "down"},
            kind=PanelKind.STAT,
            queries=(Query(f"min by (dependency) ({UP.name})", "{{dependency}}"),),
            thresholds=(Threshold(0, "red"), Threshold(1, "green")),
            height=4,
        ),
        Panel(
            title="Time of checks",
            description="How long the last check of each dependency took.",
            queries=(Query(f"max by (dependency) ({CHECK_DURATION.name})", "{{dependency}}"),),
            unit="s",
            height=4,
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A system by the value of its label, the alert that tells of it, what people call it, and
    what happens to them without it."""

    name: str
    alert: str
    title: str
    consequence: str


def watched(*dependencies: Dependency) -> Part:
    """Return the dependencies, each with an alert that fires when it does not answer, or when
    nobody looks at it."""
    return Part(
        name="dependencies",
        signals=SIGNALS,
        rows=(ROW,),
        alerts=tuple(_down(one) for one in dependencies),
        runbooks=tuple(
            Runbook(
                one.alert,
                f"{one.title} has not answered for a minute, or nobody looks at it."
                f" {one.consequence}",
                (
                    f"Is {one.title} running, has it room, is the network between in order?",
                    "Start it again; what waits for it goes on by itself.",
                ),
            )
            for one in dependencies
        ),
    )


def _down(dependency: Dependency) -> Alert:
    selector = f'{UP.name}{{dependency="{dependency.name}"}}'
    return Alert(
        name=dependency.alert,
        expression=f"min by (dependency) ({selector}) == 0 or absent({selector})",
        for_seconds=60,
        severity=Urgency.CRITICAL,
        summary=f"{dependency.title} does not answer",
        description=(
            f"{dependency.title} has not answered for a minute, or nobody looks at it."
            f" {dependency.consequence}"
        ),
    )
