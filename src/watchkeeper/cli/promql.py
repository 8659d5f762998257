"""`watchkeeper promql`: expressions printed as they are usually written."""

from __future__ import annotations

import sys

import click

from watchkeeper.cli.refusal import one_line_errors


@click.group()
def promql() -> None:
    """Work on PromQL expressions."""


@promql.command("fmt")
@click.argument("expression")
@click.option("--width", default=100, show_default=True, help="Characters a line may have.")
@click.option("--check", is_flag=True, help="Print nothing; exit 1 if it is written otherwise.")
def format_expression(expression: str, width: int, check: bool) -> None:
    """Print EXPRESSION laid out for reading; `-` reads it from standard input."""
    from watchkeeper.promql import parse, pretty

    text = sys.stdin.read() if expression == "-" else expression
    with one_line_errors():
        shown = pretty(parse(text), width=width)
    if not check:
        click.echo(shown)
    elif shown != text.rstrip("\n"):
        sys.exit(1)
