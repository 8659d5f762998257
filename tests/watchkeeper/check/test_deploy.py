"""What this repository ships has none of the faults that it finds in others' files."""

from pathlib import Path

from click.testing import CliRunner

from watchkeeper.cli import main

REPOSITORY = Path(__file__).parents[3]
CONTRACT = "resume_optimizer.telemetry:CONTRACT"


def test_the_shipped_contract_has_no_fault(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    result = CliRunner().invoke(main, ["check", CONTRACT, "--fail-on", "warning"])
    assert (result.output, result.exit_code) == ("nothing found\n", 0)


def test_the_rendered_files_have_no_fault(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    result = CliRunner().invoke(main, ["check", CONTRACT, "deploy", "--fail-on", "warning"])
    assert (result.output, result.exit_code) == ("nothing found\n", 0)
