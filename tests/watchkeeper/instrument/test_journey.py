"""A journey's success, failed step and durations are metrics; no secret is in its detail."""

from __future__ import annotations

import pytest

from watchkeeper.conventions import probe
from watchkeeper.instrument.journey import Journey, Step
from watchkeeper.testing import Captured

pytestmark = pytest.mark.anyio


async def test_a_journey_that_succeeds(seen: Captured) -> None:
    async def register(context: dict[str, str]) -> None:
        context["user"] = "1"

    async def upload(context: dict[str, str]) -> None:
        seen.clock.advance(3)
        assert context["user"] == "1"

    journey = Journey("optimise", (Step("register", register), Step("upload", upload)))
    result = await journey.run(seen.telemetry, {})
    assert result.success
    assert result.step_seconds == {"register": 0.0, "upload": 3.0}
    assert result.trace_id == f"{1:032x}"
    assert seen.value(probe.SUCCESS, journey="optimise") == 1
    assert seen.value(probe.RUNS, outcome="success") == 1
    assert seen.total(probe.STEP_DURATION, step="upload") == 3
    assert seen.value(probe.LAST_RUN) == seen.clock.time_ns() / 1e9
    assert [span.name for span in seen.spans] == ["register", "upload", "journey"]


async def test_the_first_step_that_fails_ends_it(seen: Captured) -> None:
    async def log_in(context: object) -> None:
        raise ConnectionError("password=hunter2 refused")

    async def never(context: object) -> None:
        raise AssertionError("not reached")

    journey = Journey("optimise", (Step("log in", log_in), Step("upload", never)))
    result = await journey.run(seen.telemetry)
    assert (result.success, result.failed_step) == (False, "log in")
    assert result.detail == "ConnectionError: password=[password] refused"
    assert seen.value(probe.SUCCESS, journey="optimise") == 0
    assert seen.value(probe.STEP_FAILURES, step="log in") == 1
    assert seen.value(probe.RUNS, outcome="failure") == 1
    assert seen.span("journey").attributes["journey.outcome"] == "failure"
