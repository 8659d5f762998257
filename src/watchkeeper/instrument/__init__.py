"""What runs inside the watched process: instruments, middleware, traces, logs, export."""

from watchkeeper.instrument.instruments import LiveCounter, LiveGauge, LiveHistogram, LiveSummary
from watchkeeper.instrument.middleware import instrument
from watchkeeper.instrument.settings import Settings
from watchkeeper.instrument.telemetry import Telemetry

__all__ = [
    "LiveCounter",
    "LiveGauge",
    "LiveHistogram",
    "LiveSummary",
    "Settings",
    "Telemetry",
    "instrument",
]
