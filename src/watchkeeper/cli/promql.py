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
def format_expression(expression: str) -> None:
    """Print EXPRESSION as it is usually written; `-` reads it from standard input."""
    from watchkeeper.promql import format as format_expression
    from watchkeeper.promql import parse

    text = sys.stdin.read() if expression == "-" else expression
    with one_line_errors():
        click.echo(format_expression(parse(text)))
