"""`watchkeeper render`: a contract becomes files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.cli.refusal import FILE, one_line_errors


@click.command()
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
