"""Whatever PromQL there is can be checked: nothing crashes, every place is inside the file."""

import json
import re
from pathlib import Path

import pytest

PROMQL = Path(__file__).parents[1] / "promql" / "scripts"
SHARED = Path(__file__).parents[4] / "shared" / "promqltest"
QUERY = re.compile(
    r"^\s*eval(?:_\w+)?\s+(?:instant at \S+|range from \S+ to \S+ step \S+)\s+(.*)$", re.MULTILINE
)


def expressions(directory: Path) -> list[str]:
    texts = [path.read_text("utf-8") for path in sorted(directory.glob("*.test"))]
    return sorted({found for text in texts for found in QUERY.findall(text)})


@pytest.mark.parametrize("directory", [PROMQL, SHARED], ids=["ours", "prometheus"])
def test_every_query_of_the_language_tests_is_checked(directory, checked):
    if not directory.is_dir():
        pytest.skip("the language tests are not here")
    rules = "".join(
        f"      - alert: Alert{number}\n        expr: {json.dumps(expression)}\n"
        f"      - record: query:{number}:result\n        expr: {json.dumps(expression)}\n"
        for number, expression in enumerate(expressions(directory))
    )
    text = f"groups:\n  - name: queries\n    rules:\n{rules}"
    findings = checked({"rules.yml": text})
    lines = text.count("\n") + 1
    assert len(findings) > 100
    assert all(1 <= one.place.line <= one.place.end_line <= lines for one in findings)
