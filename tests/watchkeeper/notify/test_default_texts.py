"""Our default texts, as people get them: one firing alert, one that has ended."""

from __future__ import annotations

from dataclasses import replace
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


def shown(template: str, message: Message = MESSAGE) -> str:
    compiled = default_library().compile(f'{{{{ template "{template}" . }}}}', name="test")
    return compiled.evaluate(
        message.data(), message.functions(), as_html=template.endswith(".html")
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
    assert shown(template) == (GOLDEN / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(("ended", "status"), [(False, "[FIRING:1]"), (True, "[RESOLVED]")])
def test_the_title_of_one_alert_says_what_is_wrong(ended: bool, status: str) -> None:
    one = replace(MESSAGE, alerts=(alert("DatabaseDown", ended=ended),))
    title = f"{status} DatabaseDown: <5 %> & more (DatabaseDown)"
    assert shown("email.default.subject", one) == title
    assert shown("slack.default.fallback", one) == title
    escaped = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert shown("slack.default.title", one) == escaped


def test_an_alert_without_a_summary_is_titled_by_its_names() -> None:
    nameless = replace(alert("DatabaseDown", ended=False), annotations=())
    one = replace(MESSAGE, alerts=(nameless,))
    for template in ("email.default.subject", "slack.default.title"):
        assert shown(template, one) == "[FIRING:1] DatabaseDown service=resume-optimizer"
