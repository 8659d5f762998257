"""`watchkeeper check`: faults in rules, dashboards and routes, found without a server."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchkeeper.cli.refusal import FILE, one_line_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watchkeeper.check.finding import Finding
    from watchkeeper.check.source import Source

FORMATS = ("text", "json", "sarif", "github")
SEVERITIES = ("error", "warning", "info")


@click.command()
@click.argument("targets", metavar="[MODULE:CONTRACT] [FILE|DIRECTORY]...", nargs=-1, required=True)
@click.option("--metrics", type=FILE, multiple=True, help="A snapshot of /metrics: what exists.")
@click.option("--prometheus", "server", default="", help="An address: what exists there.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=FILE, help="Write the findings there, and only count them here.")
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    default="warning",
    show_default=True,
    help="The least that is shown.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default="error",
    show_default=True,
    help="The least that makes the exit status 1.",
)
@click.option("--fix", is_flag=True, help="Mend in the files what can be mended alone.")
@click.option("--baseline", type=FILE, help="Leave out the findings of this file.")
@click.option("--write-baseline", type=FILE, help="Write the findings to this file.")
@click.option(
    "--config",
    type=FILE,
    default="pyproject.toml",
    show_default=True,
    help="Where [tool.watchkeeper.check] stands.",
)
def check(  # noqa: PLR0913  one parameter an option
    targets: tuple[str, ...],
    metrics: tuple[Path, ...],
    server: str,
    form: str,
    output: Path | None,
    severity: str,
    fail_on: str,
    fix: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    config: Path,
) -> None:
    """Find faults in a contract, or in rule files, dashboards and alertmanager.yml.

    A contract beside files, a snapshot (--metrics), Python code with prometheus_client, or a
    server (--prometheus) tells which metrics, labels and values exist. Exit 1 if there are errors.
    """
    from watchkeeper.check.baseline import without_known
    from watchkeeper.check.baseline import write_baseline as write
    from watchkeeper.check.finding import Severity
    from watchkeeper.check.inputs import read_inputs
    from watchkeeper.check.run import run
    from watchkeeper.check.settings import load_settings

    with one_line_errors():
        settings = load_settings(config)
        snapshots = (*metrics, *(config.parent / one for one in settings.metrics))
        inputs = read_inputs(targets, metrics=snapshots, server=server)
        if fix:
            _mend(run(inputs.subjects, inputs.known, settings).findings, inputs.subjects.sources)
            inputs = read_inputs(targets, metrics=snapshots, server=server)
        findings = run(inputs.subjects, inputs.known, settings).findings
        if write_baseline is not None:
            write(findings, write_baseline)
        if baseline is not None:
            findings = without_known(findings, baseline)
        shown = [one for one in findings if one.severity.rank <= Severity(severity).rank]
        _tell(_formatted(shown, form, dict(inputs.subjects.sources)), shown, output)
    failing = Severity(fail_on).rank
    sys.exit(1 if any(one.severity.rank <= failing for one in findings) else 0)


def _mend(findings: Sequence[Finding], sources: object) -> None:
    from watchkeeper.check.fixes import fixed

    assert isinstance(sources, dict)
    for file, text in fixed(findings, sources).items():
        newline = "\r\n" if b"\r\n" in Path(file).read_bytes() else "\n"
        Path(file).write_text(text, encoding="utf-8", newline=newline)
        click.echo(f"mended {file}", err=True)


def _formatted(findings: Sequence[Finding], form: str, sources: dict[str, Source]) -> str:
    from watchkeeper.check.report import as_github, as_json, as_text
    from watchkeeper.check.sarif import as_sarif

    match form:
        case "json":
            return as_json(findings)
        case "github":
            return as_github(findings)
        case "sarif":
            return as_sarif(findings, sources, version("watchkeeper"))
    return as_text(findings)


def _tell(text: str, findings: Sequence[Finding], output: Path | None) -> None:
    from watchkeeper.check.report import summary

    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    click.echo(f"{output}: {summary(findings)}", err=True)
