"""The scripts: Prometheus' own where they are at hand, and ours always."""

from __future__ import annotations

import json
from pathlib import Path

import conformance
import pytest

COUNTS = Path(__file__).parent / "conformance.json"
"""How many evals of each of Prometheus' scripts pass. It may only grow."""


@pytest.mark.parametrize("path", sorted(conformance.OWN.glob("*.test")), ids=lambda path: path.stem)
def test_our_own_scripts_pass(path: Path) -> None:
    tally = conformance.run(path)
    assert tally.failures == []
    assert tally.passed > 0


@pytest.mark.parametrize("name", sorted(json.loads(COUNTS.read_text())))
def test_as_many_evals_of_prometheus_pass_as_is_written_down(name: str) -> None:
    path = conformance.SHARED / name
    if not path.exists():
        pytest.skip(f"Prometheus' test scripts are not at {conformance.SHARED}")
    tally = conformance.run(path)
    written = json.loads(COUNTS.read_text())[name]
    assert {"passed": tally.passed, "total": tally.total} == written, (
        "the counts changed: more is an improvement to write down in conformance.json, "
        "fewer is a defect: " + "\n".join(tally.failures[:3])
    )


def test_no_script_of_prometheus_is_left_out() -> None:
    if not conformance.SHARED.is_dir():
        pytest.skip(f"Prometheus' test scripts are not at {conformance.SHARED}")
    assert {path.name for path in conformance.SHARED.glob("*.test")} == set(
        json.loads(COUNTS.read_text())
    )


def test_the_runner_notices_a_wrong_answer(tmp_path: Path) -> None:
    script = tmp_path / "wrong.test"
    script.write_text("load 1m\n  x 1 2 3\n\neval instant at 1m x\n  x 3\n")
    tally = conformance.run(script)
    assert tally.passed == 0
    assert "expected" in tally.failures[0]


def test_the_runner_notices_a_missing_warning(tmp_path: Path) -> None:
    script = tmp_path / "quiet.test"
    script.write_text("load 1m\n  x 1\n\neval instant at 0 x\n  expect warn\n  x 1\n")
    assert conformance.run(script).passed == 0
