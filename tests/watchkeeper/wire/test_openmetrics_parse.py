"""OpenMetrics is read strictly; the project's own cases decide, where they are at hand."""

import json
from pathlib import Path

import pytest
from watchkeeper.errors import DecodeError
from watchkeeper.model import MetricType
from watchkeeper.wire import exposition

CASES = Path(__file__).parents[4] / "shared" / "openmetrics"
CONTENT_TYPE = exposition.OPENMETRICS_CONTENT_TYPE


def parse(text: str):
    return exposition.parse(text.encode(), CONTENT_TYPE, 5_000)


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared/openmetrics is not there")
def test_the_openmetrics_projects_own_cases_are_judged_as_it_judges_them():
    wrong = []
    cases = sorted(CASES.glob("*/test.json"))
    for case in cases:
        wanted = json.loads(case.read_text())["shouldParse"]
        try:
            exposition.parse((case.parent / "metrics").read_bytes(), CONTENT_TYPE, 0)
            parsed = True
        except DecodeError:
            parsed = False
        if parsed != wanted:
            wrong.append((case.parent.name, wanted))
    assert wrong == []
    assert len(cases) == 211
