"""The command line."""

from watchkeeper.cli.command import main

__all__ = ["main"]
