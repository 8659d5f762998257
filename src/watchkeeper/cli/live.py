"""`watchkeeper live`: what really is emitted, against the contract."""

from __future__ import annotations

import sys

import click

from watchkeeper.cli.refusal import one_line_errors
from watchkeeper.clock import SystemClock


@click.command()
@click.argument("contract", metavar="MODULE:CONTRACT")
@click.argument("url")
@click.option("--strict", is_flag=True, help="Exit 1 if something is not as it is declared.")
@click.option("--complete", is_flag=True, help="Exit 1 also if a metric was never seen.")
@click.option("--ignore", default="", metavar="REGEX", help="Names that need no declaration.")
@click.option("--selector", default="", help="PromQL selector of the series to look at.")
@click.option("--since", default=3600.0, show_default=True, help="Seconds a Prometheus looks back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def live(
    contract: str,
    url: str,
    strict: bool,
    complete: bool,
    ignore: str,
    selector: str,
    since: float,
    as_json: bool,
) -> None:
    """Compare what runs at URL with CONTRACT: a service, its /metrics, or a Prometheus.

    Told are metrics that were never seen, undeclared ones, wrong types and labels, undeclared
    values and too many of them. A server that wants a token finds it in the environment
    variable WATCHKEEPER_TOKEN.
    """
    import json
    import os

    from watchkeeper.contract import load_contract
    from watchkeeper.live import Source, as_data, as_text, compare, emitted_at

    with one_line_errors():
        declared = load_contract(contract)
        token = os.environ.get("WATCHKEEPER_TOKEN", "")
        source = Source(url=url, token=token, selector=selector, since_seconds=since)
        seen = emitted_at(declared, source, clock=SystemClock())
        found = compare(declared, seen, ignored=ignore)
    shown = sum(len(one) for one in seen.series.values())
    click.echo(json.dumps(as_data(found, shown), indent=2) if as_json else as_text(found, shown))
    broken = any(one.kind.breaks for one in found)
    sys.exit(1 if (strict and broken) or (complete and found) else 0)
