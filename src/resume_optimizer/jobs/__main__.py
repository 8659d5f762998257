"""`python -m resume_optimizer.jobs`: one worker process."""

from __future__ import annotations

import sys

import uvloop

from resume_optimizer.jobs.worker import work
from resume_optimizer.listening import listen
from resume_optimizer.llm.provider import provider_from_settings
from resume_optimizer.quiet import quiet_libraries
from resume_optimizer.services import open_services
from resume_optimizer.settings import Settings, SettingsError
from resume_optimizer.telemetry import CONTRACT
from watchkeeper import Settings as TelemetrySettings
from watchkeeper import Telemetry
from watchkeeper.errors import ConfigError


def main() -> None:
    """Read the environment and work."""
    try:
        settings = Settings.from_environment()
        telemetry = Telemetry(CONTRACT, TelemetrySettings.from_environment())
        metrics_socket = listen(settings.worker_metrics_address, "WORKER_METRICS_ADDRESS")
        provider = provider_from_settings(settings.llm)
    except (SettingsError, ConfigError) as error:
        sys.exit(f"resume_optimizer.jobs: {error}")

    quiet_libraries()

    async def run() -> None:
        async with open_services(settings, telemetry) as services:
            try:
                await work(services, provider, metrics_socket)
            finally:
                await provider.close()

    with telemetry:
        uvloop.run(run())


if __name__ == "__main__":
    main()
