"""The synthetic probe: makes the sample journey again and again and measures every step.

`python -m resume_optimizer.probe --service http://127.0.0.1:8000 --port 8002 --interval 60`
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import httpx2
import uvicorn

from resume_optimizer.journey import CALL_TIMEOUT_SECONDS, JOURNEY, Applicant
from resume_optimizer.quiet import quiet_libraries
from resume_optimizer.resumes.sample import POSTING, RESUME
from resume_optimizer.telemetry import CONTRACT, JOURNEY_FAILED
from watchkeeper import Settings, Telemetry
from watchkeeper.errors import ConfigError

EMAIL = "probe@resume-optimizer.example"


async def probe(telemetry: Telemetry, service: str, interval_seconds: float) -> None:
    """Make the journey every `interval_seconds`, counted from start to start, until cancelled."""
    token = os.environ.get("PROBE_TOKEN", "")
    async with httpx2.AsyncClient(base_url=service, timeout=CALL_TIMEOUT_SECONDS) as client:
        applicant = Applicant(
            client, EMAIL, token, RESUME, POSTING, carrier=telemetry.inject, probe_token=token
        )
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            applicant.session = ""
            result = await JOURNEY.run(telemetry, applicant)
            if not result.success:
                telemetry.log(
                    JOURNEY_FAILED,
                    journey=JOURNEY.name,
                    step=result.failed_step,
                    reason=result.detail,
                )
            await asyncio.sleep(max(0.0, begun + interval_seconds - loop.time()))


async def serve(telemetry: Telemetry, options: argparse.Namespace) -> None:
    """Probe, and answer GET /metrics beside it, until told to stop."""
    metrics = uvicorn.Server(
        uvicorn.Config(
            telemetry.metrics_app(),
            host="127.0.0.1",
            port=options.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    probing = asyncio.create_task(probe(telemetry, options.service, options.interval))
    try:
        await metrics.serve()
    finally:
        probing.cancel()


def main() -> None:
    """Read the command line and the environment, and probe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", default="http://127.0.0.1:8000")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--interval", type=float, default=60.0, help="seconds")
    options = parser.parse_args()
    try:
        telemetry = Telemetry(CONTRACT, Settings.from_environment())
    except ConfigError as error:
        sys.exit(f"resume_optimizer.probe: {error}")
    quiet_libraries()
    with telemetry:
        asyncio.run(serve(telemetry, options))


if __name__ == "__main__":
    main()
