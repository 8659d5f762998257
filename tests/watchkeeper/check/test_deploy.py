"""What this repository ships has none of the faults that it finds in others' files."""

from pathlib import Path

from click.testing import CliRunner

from watchkeeper.cli import main

REPOSITORY = Path(__file__).parents[3]
CONTRACTS = (
    "resume_optimizer.telemetry:CONTRACT",
    "watchkeeper.conventions.backend_alerts:CONTRACT",
)


def test_the_shipped_contracts_have_no_fault(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    result = CliRunner().invoke(main, ["check", *CONTRACTS, "--fail-on", "warning"])
    assert (result.output, result.exit_code) == ("nothing found\n", 0)


def test_the_rendered_files_have_no_fault(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    result = CliRunner().invoke(main, ["check", *CONTRACTS, "deploy", "--fail-on", "warning"])
    assert (result.output, result.exit_code) == ("nothing found\n", 0)
