"""The one pure ASGI middleware: a record a request, everything else deferred."""

from __future__ import annotations

from typing import Any, TypeVar

from watchkeeper.contract import Contract
from watchkeeper.instrument.settings import Settings
from watchkeeper.instrument.telemetry import Telemetry

Application = TypeVar("Application")


def instrument(
    app: Application, telemetry: Telemetry | Contract, settings: Settings | None = None
) -> Telemetry:
    """Watch a FastAPI or Starlette app: every request, and GET /metrics.

    Given a contract, makes its Telemetry with `settings` (default: the environment's). Starts
    with the app's lifespan, or at its first request, and stops with it.
    """
    raise NotImplementedError


def _unused(_: Any) -> None: ...
