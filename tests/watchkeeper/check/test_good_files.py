"""What is written as good projects write it stays silent: a false alarm is a fault."""

from pathlib import Path

import pytest

from watchkeeper.check.finding import Severity

GOOD = sorted((Path(__file__).parent / "good").iterdir())


def serious(findings):
    return [
        f"{one.place} {one.check} {one.subject}: {one.message}"
        for one in findings
        if one.severity is not Severity.INFO
    ]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name)
def test_a_good_file_has_no_fault(path, checked):
    assert serious(checked({path.name: path.read_text("utf-8")})) == []


def test_good_files_together_have_no_fault(checked):
    assert serious(checked({path.name: path.read_text("utf-8") for path in GOOD})) == []
