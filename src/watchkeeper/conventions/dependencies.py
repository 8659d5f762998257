"""The systems that a service cannot work without, and whether they answer it."""

from watchkeeper.contract import Combine, Gauge, Label, Signals

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
