"""`python -m resume_optimizer.api`: one process of the API.

With `--fd N` it answers on a socket that it inherits: several processes behind one port.
Otherwise it listens on HOST and PORT.
"""

from __future__ import annotations

import argparse
import sys

import uvicorn

from resume_optimizer.api.app import create_app
from resume_optimizer.listening import listen
from resume_optimizer.quiet import quiet_libraries
from resume_optimizer.settings import Settings, SettingsError
from resume_optimizer.telemetry import CONTRACT
from watchkeeper import Settings as TelemetrySettings
from watchkeeper import Telemetry
from watchkeeper.errors import ConfigError

GRACE_SECONDS = 10


def main() -> None:
    """Read the environment and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m resume_optimizer.api")
    parser.add_argument("--fd", type=int, help="a listening socket that was inherited")
    arguments = parser.parse_args()
    try:
        settings = Settings.from_environment()
        telemetry = Telemetry(CONTRACT, TelemetrySettings.from_environment())
        inherited = arguments.fd is not None
        listening = None if inherited else listen(f"{settings.host}:{settings.port}", "PORT")
    except (SettingsError, ConfigError) as error:
        sys.exit(f"resume_optimizer.api: {error}")
    quiet_libraries()
    uvicorn.run(
        create_app(settings, telemetry),
        fd=listening.fileno() if listening else arguments.fd,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()
