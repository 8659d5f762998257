"""`watchkeeper prove`: each alert can fire, each page reaches somebody, each panel has data."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from watchkeeper.cli.refusal import FILE, one_line_errors

if TYPE_CHECKING:
    from watchkeeper.contract import Contract
    from watchkeeper.prove.report import Report
    from watchkeeper.prove.subject import Subject


@click.command()
@click.argument("contract", metavar="MODULE:CONTRACT")
@click.argument("alerts", nargs=-1, metavar="[ALERT]...")
@click.option("--rules", type=FILE, multiple=True, help="Rule files in place of the contract's.")
@click.option("--alertmanager", type=FILE, help="An alertmanager.yml in place of the contract's.")
@click.option("--dashboards", type=FILE, help="A directory of Grafana JSON in place of them.")
@click.option("--mutation/--no-mutation", default=True, help="Whether to work out the score.")
@click.option("--least-score", default=95.0, show_default=True, help="In percent; below: exit 1.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
@click.option("--promtool", type=FILE, help="Write the proofs there as promtool's rule tests.")
def prove(  # noqa: PLR0913  one parameter an option
    contract: str,
    alerts: tuple[str, ...],
    rules: tuple[Path, ...],
    alertmanager: Path | None,
    dashboards: Path | None,
    mutation: bool,
    least_score: float,
    as_data: bool,
    promtool: Path | None,
) -> None:
    """Prove the alerts, routes and dashboards of CONTRACT, or those ALERTs alone.

    Series are made up from the declared signals: for every alert some that must fire it, and
    the nearest that must not. Exit 1 if something is not proved.
    """
    from watchkeeper.contract import load_contract
    from watchkeeper.prove import as_json, as_text
    from watchkeeper.prove import prove as prove_all
    from watchkeeper.render import render

    agreed = True

    with one_line_errors(), TemporaryDirectory() as directory:
        declared = load_contract(contract)
        written = render(declared, Path(directory))
        rules = rules or _own_rules(declared, written)
        subject = _subject(declared, written, rules, alertmanager, dashboards)
        report = prove_all(
            subject,
            names=alerts,
            mutation=mutation,
            least_score=least_score / 100,
            cpu_seconds=time.process_time,
        )
        if promtool is not None:
            agreed = _promtool_agrees(subject, report, promtool, rules)
    if as_data:
        click.echo(json.dumps(as_json(report), indent=2))
    else:
        click.echo(as_text(report), nl=False)
    sys.exit(0 if report.holds and agreed else 1)


def _own_rules(contract: Contract, written: list[Path]) -> tuple[Path, ...]:
    """Return the rule file that a contract renders to."""
    own = f"{contract.service}.yml"
    return tuple(path for path in written if path.parent.name == "rules" and path.name == own)


def _subject(
    contract: Contract,
    written: list[Path],
    rules: tuple[Path, ...],
    alertmanager: Path | None,
    dashboards: Path | None,
) -> Subject:
    """Return what is proved: the very files that the contract renders to, or those given."""
    from watchkeeper.prove import read_subject

    if alertmanager is None:
        alertmanager = next((path for path in written if path.name == "alertmanager.yml"), None)
    boards = [path for path in written if path.parent.name == "dashboards"]
    if dashboards is not None:
        boards = sorted(dashboards.rglob("*.json"))
    return read_subject(
        contract, rules, alertmanager, [path for path in boards if path.suffix == ".json"]
    )


def _promtool_agrees(
    subject: Subject, report: Report, directory: Path, rules: tuple[Path, ...]
) -> bool:
    """Write the proofs for promtool, and run it where it is installed."""
    from watchkeeper.prove import run_promtool, write_tests

    written = write_tests(subject, report.proofs, directory, rules)
    said = run_promtool(written.files)
    verdict = "is not installed" if said is None else "disagrees" if said else "agrees"
    click.echo(f"{directory}: {len(written.files)} files written; promtool {verdict}", err=True)
    if written.left_out:
        names = ", ".join(written.left_out)
        click.echo(f"left out, for promtool would take too long over days: {names}", err=True)
    if said:
        click.echo(said, err=True)
    return not said
