"""Our default texts, as people get them: one firing alert, one that has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchkeeper.model import labels
from watchkeeper.notify import Alert
from watchkeeper.notify.default_templates import default_library
from watchkeeper.notify.message import Message
from watchkeeper.testing import NEW_YEAR_2026_NS

GOLDEN = Path(__file__).parent / "golden"
SECOND = 1_000_000_000


def alert(name: str, *, ended: bool) -> Alert:
    return Alert(
        labels({"alertname": name, "service": "resume-optimizer", "severity": "critical"}),
        labels(
            {
                "summary": f"{name}: <5 %> & more",
                "description": "Users see errors.",
                "runbook_url": "http://127.0.0.1/runbooks.md#it",
                "dashboard_url": "http://127.0.0.1/d/service",
            }
        ),
        NEW_YEAR_2026_NS - 3725 * SECOND,
        NEW_YEAR_2026_NS + (-25 if ended else 300) * SECOND,
        NEW_YEAR_2026_NS,
        "http://127.0.0.1:9400/graph?g0.expr=up",
    )


MESSAGE = Message(
    receiver="team",
    group_key="{}:{}",
    group_labels=labels({"service": "resume-optimizer"}),
    alerts=(alert("HighErrorRate", ended=False), alert("DatabaseDown", ended=True)),
    now_ns=NEW_YEAR_2026_NS,
    external_url="http://127.0.0.1:9400",
)


@pytest.mark.parametrize(
    ("template", "file"),
    [
        ("email.default.subject", "subject.txt"),
        ("email.default.text", "email.txt"),
        ("email.default.html", "email.html"),
        ("slack.default.text", "slack.txt"),
        ("pagerduty.default.description", "pagerduty.txt"),
    ],
)
def test_a_default_text_is_as_it_was_agreed(template: str, file: str) -> None:
    compiled = default_library().compile(f'{{{{ template "{template}" . }}}}', name="test")
    text = compiled.evaluate(
        MESSAGE.data(), MESSAGE.functions(), as_html=template.endswith(".html")
    )
    assert text == (GOLDEN / file).read_text(encoding="utf-8")
