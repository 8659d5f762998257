"""What every command does with a path, and with what cannot be used."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

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
