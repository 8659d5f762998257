"""A real fault reaches somebody with what, since when and where to look; so does its end."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.servers

RFC_3339_MINUTE = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d"


@pytest.mark.parametrize(
    ("fault", "alert", "summary"),
    [
        ("database-down", "DatabaseConnectionIssues", "PostgreSQL does not answer"),
        ("cache-down", "CacheDown", "Valkey does not answer"),
        ("objects-down", "ObjectStoreDown", "The object store does not answer"),
        ("llm-errors", "LLMAPIFailures", "LLM calls fail"),
    ],
)
@pytest.mark.timeout(600)
def test_a_fault_and_its_end_reach_webhook_and_mailbox(stack, eventually, fault, alert, summary):
    def nothing_of_it_is_under_way() -> bool:
        """Tests before have stopped servers too, if only for a moment."""
        about = [one for one in stack.messages() if alert in one["title"]]
        last = {one["way"]: one["title"].lower() for one in about}
        still_told = any("firing" in last.get(way, "") for way in ("webhook", "mail"))
        return not still_told and not stack.query(f'ALERTS{{alertname="{alert}"}}')

    eventually(nothing_of_it_is_under_way, f"the end of an earlier {alert}")
    before = len(stack.messages())

    def told(way: str, status: str):
        return next(
            (
                message
                for message in stack.messages()[before:]
                if message["way"] == way
                and alert in message["title"] + message["body"]
                and status in message["title"].lower()
            ),
            None,
        )

    put_in = stack.fault(fault)
    put_in.put_in()
    try:
        webhook = eventually(lambda: told("webhook", "firing"), f"webhook about {alert}")
        mail = eventually(lambda: told("mail", "firing"), f"mail about {alert}")
    finally:
        put_in.take_out()
    for message in (webhook, mail):
        assert summary in message["body"]
        assert re.search(RFC_3339_MINUTE, message["body"])
        assert f"docs/runbooks.md#{alert.lower()}" in message["body"]
    eventually(lambda: told("webhook", "resolved"), f"webhook about the end of {alert}")
    eventually(lambda: told("mail", "resolved"), f"mail about the end of {alert}")
