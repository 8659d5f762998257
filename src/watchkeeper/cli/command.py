"""The `watchkeeper` command: each subcommand asks one module and prints its answer.

Modules that a command needs are imported when it runs, so that every command starts at once.
"""

from __future__ import annotations

try:
    import click
except ModuleNotFoundError:
    raise SystemExit(
        "watchkeeper: the command needs the extra `server`: pip install 'watchkeeper[server]'"
    ) from None

from watchkeeper.cli.check import check
from watchkeeper.cli.docs import docs
from watchkeeper.cli.health import health
from watchkeeper.cli.init import init
from watchkeeper.cli.live import live
from watchkeeper.cli.promql import promql
from watchkeeper.cli.prove import prove
from watchkeeper.cli.render import render
from watchkeeper.cli.rule_tests import test
from watchkeeper.cli.run import run
from watchkeeper.cli.store import backup, export, verify


@click.group()
@click.version_option(package_name="watchkeeper")
def main() -> None:
    """Monitoring for Python services that proves the watching works."""


COMMANDS = (
    *(init, run, health, backup, verify, export),
    *(render, check, prove, live, docs, test, promql),
)
for command in COMMANDS:
    main.add_command(command)
