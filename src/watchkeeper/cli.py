"""The `watchkeeper` command. Thin: each command asks one module and prints its answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from watchkeeper.clock import SystemClock
from watchkeeper.errors import WatchkeeperError

FILE = click.Path(path_type=Path)
UNUSABLE = 2


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End with exit status 2 and one line where something cannot be used."""
    try:
        yield
    except WatchkeeperError as error:
        click.echo(f"watchkeeper: {' '.join(str(error).split())}", err=True)
        sys.exit(UNUSABLE)


@click.group()
@click.version_option(package_name="watchkeeper")
def main() -> None:
    """Monitoring for Python services that proves the watching works."""


@main.command()
@click.option("--config", type=FILE, default="deploy/prometheus/prometheus.yml", show_default=True)
@click.option(
    "--alertmanager", type=FILE, default="deploy/alertmanager/alertmanager.yml", show_default=True
)
@click.option("--dashboards", type=FILE, default="deploy/grafana/dashboards", show_default=True)
@click.option("--data", type=FILE, default="var/watchkeeper", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=9400, show_default=True)
@click.option(
    "--external-url", default="", help="Where people reach this server; for links in messages."
)
@click.option(
    "--tail",
    multiple=True,
    metavar="GLOB",
    help="Log files to read as they grow, JSON lines or plain; may be given several times.",
)
@click.option("--tokens", type=FILE, help="File of tokens: `read|write|admin TOKEN` a line.")
@click.option("--tls-certificate", type=FILE, help="PEM file; with --tls-key.")
@click.option("--tls-key", type=FILE, help="PEM file; with --tls-certificate.")
@click.option(
    "--accept-plain-http",
    is_flag=True,
    help="Something in front encrypts: allow an address other than loopback without TLS.",
)
@click.option(
    "--enable-feature",
    multiple=True,
    type=click.Choice(["promql-experimental-functions"]),
    help="Allow what Prometheus refuses without the flag of this name.",
)
def run(**options: object) -> None:
    """Scrape, receive, store, answer, evaluate and notify, until SIGINT or SIGTERM.

    SIGHUP reads the configuration files again.
    """
    from watchkeeper.server.launch import Options, launch

    with one_line_errors():
        launch(Options(**options))  # type: ignore[arg-type] # click has checked each type


@main.command()
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


@main.command()
@click.argument("directory", type=FILE)
@click.option("--backend", default="http://127.0.0.1:9400", show_default=True)
def backup(directory: Path, backend: str) -> None:
    """Copy the store of a running backend to DIRECTORY; `run --data` starts on the copy.

    A backend that wants a token finds an admin's in the environment variable WATCHKEEPER_TOKEN.
    """
    import os

    from watchkeeper.server.backup import fetch

    with one_line_errors():
        size_bytes = fetch(backend, directory, token=os.environ.get("WATCHKEEPER_TOKEN", ""))
    click.echo(f"{directory}: {size_bytes} bytes, read back and whole")


@main.command()
@click.argument("directory", type=FILE)
def verify(directory: Path) -> None:
    """Read a store or a backup that no process has open; exit 1 if any of it is damaged."""
    from watchkeeper.storage import verify as read_everything

    with one_line_errors():
        found = read_everything(directory)
    for report in found.damage:
        click.echo(f"{report.path}: {report.reason}", err=True)
    click.echo(
        f"{directory}: {found.segments} segments with {found.rows} rows, {found.log_records} "
        f"records of the log, {found.size_bytes} bytes: "
        + (f"{len(found.damage)} damaged" if found.damage else "whole")
    )
    sys.exit(1 if found.damage else 0)


@main.command()
@click.argument("contract", metavar="MODULE:CONTRACT")
@click.option("--directory", type=FILE, default="deploy", show_default=True)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file says otherwise.")
def render(contract: str, directory: Path, check: bool) -> None:
    """Write the files that CONTRACT becomes: Prometheus, Alertmanager and Grafana read them."""
    from watchkeeper.contract import load_contract
    from watchkeeper.render import differences
    from watchkeeper.render import render as write

    with one_line_errors():
        declared = load_contract(contract)
    if not check:
        for path in write(declared, directory):
            click.echo(path)
        return
    stale = differences(declared, directory)
    for path in stale:
        click.echo(f"{path} is not what the contract renders to; run `make render`", err=True)
    sys.exit(1 if stale else 0)


@main.group()
def test() -> None:
    """Prove that what watches does what it should."""


@test.command("rules")
@click.argument("files", type=FILE, nargs=-1, required=True)
def rule_tests(files: tuple[Path, ...]) -> None:
    """Run promtool's rule tests in FILES. Exit 1 if one does not pass."""
    from watchkeeper.check.rule_tests import test_rules

    passed = True
    for path in files:
        try:
            failures = [str(one) for one in test_rules(path, clock=SystemClock())]
        except WatchkeeperError as error:
            failures = [str(error)]
        click.echo(f"{path}: {'FAILED' if failures else 'SUCCESS'}")
        for one in failures:
            click.echo(f"  {one}", err=True)
        passed = passed and not failures
    sys.exit(0 if passed else 1)


@main.group()
def promql() -> None:
    """Work on PromQL expressions."""


@promql.command("fmt")
@click.argument("expression")
def format_expression(expression: str) -> None:
    """Print EXPRESSION as it is usually written; `-` reads it from standard input."""
    from watchkeeper.promql import format as format_expression
    from watchkeeper.promql import parse

    text = sys.stdin.read() if expression == "-" else expression
    with one_line_errors():
        click.echo(format_expression(parse(text)))


if __name__ == "__main__":
    main()
