"""`watchkeeper backup`, `verify`, `export`: a store copied, read whole, given to other readers."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.cli.refusal import FILE, one_line_errors
from watchkeeper.errors import StorageError


@click.command()
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


@click.command()
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


@click.command()
@click.argument("directory", type=FILE)
@click.argument("target", type=FILE)
def export(directory: Path, target: Path) -> None:
    """Write the store or backup in DIRECTORY, which no process has open, as Parquet to TARGET.

    Of a running backend, export a backup.
    """
    from watchkeeper.storage import Store, StoreLimits

    with one_line_errors():
        if not (directory / "wal").is_dir():
            raise StorageError(
                f"there is no store in {directory}: name the directory given to --data"
            )
        store = Store.open(directory, limits=StoreLimits.keeping_everything())
        try:
            found = store.export(target)
        finally:
            store.close()
    click.echo(f"{target}: {found.samples} samples, {found.logs} log records, {found.spans} spans")
