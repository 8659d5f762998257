"""`watchkeeper health`: is everything up, the watching included."""

from __future__ import annotations

import sys

import click

from watchkeeper.cli.refusal import one_line_errors
from watchkeeper.clock import SystemClock


@click.command()
@click.option("--service", default="http://127.0.0.1:8000", show_default=True)
@click.option("--backend", default="http://127.0.0.1:9400", show_default=True)
@click.option("--json", "as_data", is_flag=True, help="Print JSON instead of a table.")
def health(service: str, backend: str, as_data: bool) -> None:
    """Look at a service, what it depends on, and its monitoring. Exit 1 if something is down.

    A backend that wants a token finds it in the environment variable WATCHKEEPER_TOKEN.
    """
    import json
    import os

    from watchkeeper.server.checkup import as_json, as_table, look

    with one_line_errors():
        token = os.environ.get("WATCHKEEPER_TOKEN", "")
        findings = look(service, backend, clock=SystemClock(), token=token)
    click.echo(json.dumps(as_json(findings), indent=2) if as_data else as_table(findings))
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
