"""`watchkeeper test rules`: promtool's rule tests."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from watchkeeper.cli.refusal import FILE
from watchkeeper.clock import SystemClock
from watchkeeper.errors import WatchkeeperError


@click.group()
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
