"""Synthetic probes: a journey that a user would make, with each step timed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from watchkeeper.conventions import probe
from watchkeeper.instrument.calls import optional_span
from watchkeeper.instrument.span import type_name
from watchkeeper.instrument.telemetry import Telemetry


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `act(context)` raises if it fails. Steps hand things on in the context."""

    name: str
    act: Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class JourneyResult:
    """How a run went. `failed_step` and `detail` are '' after success; `detail` holds no secret.

    `step_seconds` has the steps that were begun, in order.
    """

    journey: str
    success: bool
    duration_seconds: float
    step_seconds: dict[str, float]
    failed_step: str = ""
    detail: str = ""
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Journey:
    """Steps in order; the first that fails ends the run."""

    name: str
    steps: tuple[Step, ...]

    async def run(self, telemetry: Telemetry, context: Any = None) -> JourneyResult:
        """Make the journey once. An Exception of a step is a failure, and not raised."""
        step_seconds: dict[str, float] = {}
        failed_step = detail = ""
        started_ns = telemetry.clock.monotonic_ns()
        attributes = {"journey.name": self.name}
        with optional_span(telemetry, probe.RUN_SPAN, **attributes) as span:
            trace_id = telemetry.trace_id()
            for step in self.steps:
                try:
                    await self._take(step, telemetry, context, step_seconds)
                except Exception as error:  # noqa: BLE001 - a failed step is the journey's result
                    failed_step = step.name
                    detail = telemetry.redact(f"{type_name(error)}: {error}")[:500]
                    break
            span.set_attribute("journey.outcome", "failure" if failed_step else "success")
        result = JourneyResult(
            self.name,
            not failed_step,
            (telemetry.clock.monotonic_ns() - started_ns) / 1e9,
            step_seconds,
            failed_step,
            detail,
            trace_id,
        )
        _record(telemetry, result)
        return result

    async def _take(
        self, step: Step, telemetry: Telemetry, context: Any, step_seconds: dict[str, float]
    ) -> None:
        started_ns = telemetry.clock.monotonic_ns()
        try:
            with optional_span(
                telemetry, probe.STEP_SPAN, name=step.name, **{"journey.step": step.name}
            ):
                await step.act(context)
        finally:
            seconds = (telemetry.clock.monotonic_ns() - started_ns) / 1e9
            step_seconds[step.name] = seconds
            if telemetry.declares(probe.STEP_DURATION):
                telemetry.histogram(probe.STEP_DURATION).observe(
                    seconds, journey=self.name, step=step.name
                )


def _record(telemetry: Telemetry, result: JourneyResult) -> None:
    journey = result.journey
    if telemetry.declares(probe.SUCCESS):
        telemetry.gauge(probe.SUCCESS).set(float(result.success), journey=journey)
    if telemetry.declares(probe.RUNS):
        outcome = "success" if result.success else "failure"
        telemetry.counter(probe.RUNS).inc(journey=journey, outcome=outcome)
    if result.failed_step and telemetry.declares(probe.STEP_FAILURES):
        telemetry.counter(probe.STEP_FAILURES).inc(journey=journey, step=result.failed_step)
    if telemetry.declares(probe.LAST_RUN):
        now_seconds = telemetry.clock.time_ns() / 1e9
        telemetry.gauge(probe.LAST_RUN).set(now_seconds, journey=journey)
