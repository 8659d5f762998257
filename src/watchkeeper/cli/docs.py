"""`watchkeeper docs`: the contract as people read it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.cli.refusal import FILE, one_line_errors


@click.command()
@click.argument("contract", metavar="MODULE:CONTRACT")
@click.option("--output", type=FILE, help="Write the catalogue there instead of printing it.")
@click.option("--runbooks", type=FILE, help="Write the runbooks of the contract's parts there.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file says otherwise.")
def docs(contract: str, output: Path | None, runbooks: Path | None, check: bool) -> None:
    """Print a catalogue of CONTRACT in Markdown: each signal, its meaning, who emits it, which
    alert, objective and panel use it, and what it weighs at the worst."""
    from watchkeeper.catalogue import catalogue, emitters_in
    from watchkeeper.catalogue import runbooks as runbooks_of
    from watchkeeper.contract import load_contract

    with one_line_errors():
        declared = load_contract(contract)
    emitters = emitters_in(contract.partition(":")[0].partition(".")[0])
    folder = output.parent.as_posix() if output and not output.is_absolute() else "docs"
    text = catalogue(declared, emitters, folder=folder)
    if output is None:
        click.echo(text, nl=False)
    written = [(output, text)] if output is not None else []
    if runbooks is not None:
        written.append((runbooks, runbooks_of(declared)))
    stale = [path for path, wanted in written if not _says(path, wanted)]
    if check:
        for path in stale:
            click.echo(f"{path} is not what the contract says; run `watchkeeper docs`", err=True)
        sys.exit(1 if stale else 0)
    for path, wanted in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted, encoding="utf-8")
        click.echo(path)


def _says(path: Path, wanted: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == wanted
