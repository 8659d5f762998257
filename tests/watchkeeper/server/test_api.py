import shutil
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import parse_qs

import httpx2
import orjson
import pytest

from watchkeeper.backend import Backend
from watchkeeper.errors import StoreFullError
from watchkeeper.notify import DeliveryRecord, ReceiverStatus

pytestmark = pytest.mark.anyio

NOW_NS = 1_700_000_000_000_000_000


def delivery(outcome: str, ago: int) -> DeliveryRecord:
    return DeliveryRecord(
        timestamp_ns=NOW_NS - ago * 10**9,
        receiver="on-call",
        integration="webhook",
        status="firing",
        alerts=1,
        outcome=outcome,
        detail="HTTP 500" if outcome == "failed" else "HTTP 200",
        summary="firing: TargetDown",
        reason="first",
        attempts=1,
    )


async def test_the_overview_tells_how_it_stands(
    client: httpx2.AsyncClient, backend: Backend
) -> None:
    backend.evaluator.evaluate_group(backend.configuration.groups[0], NOW_NS)
    overview = (await client.get("/api/overview")).json()
    assert overview["healthy"] is True
    assert overview["alerts"] == {"firing": 1, "pending": 0}
    assert overview["started_at"] == "2023-11-14T22:13:20.000Z"
    assert overview["cost_today_usd"] is None
    assert overview["storage"]["logs"] == 3
    names = [check["name"] for check in overview["checks"]]
    assert names == ["scraping", "storing", "evaluating", "notifying"]


async def test_a_store_without_room_is_not_healthy(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(batch: object) -> int:
        raise StoreFullError("no room on disk")

    monkeypatch.setattr(backend.store.metrics, "append", refuse)
    answer = await client.get("/api/health")
    assert answer.status_code == 503
    checks = {check["name"]: check for check in answer.json()["checks"]}
    assert (checks["storing"]["ok"], checks["storing"]["detail"]) == (False, "no room on disk")
    assert checks["notifying"]["ok"] is True


async def test_a_disk_that_is_nearly_full_is_not_healthy(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1 << 20))
    assert (await client.get("/api/health")).status_code == 503


async def test_a_rule_that_fails_is_not_healthy(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend.engine, "vector", None)
    backend.evaluator.evaluate_group(backend.configuration.groups[0], NOW_NS)
    checks = {c["name"]: c for c in (await client.get("/api/health")).json()["checks"]}
    assert checks["evaluating"]["ok"] is False
    assert "job:up:sum" in checks["evaluating"]["detail"]


async def test_groups_that_were_not_evaluated_in_time_are_not_healthy(
    client: httpx2.AsyncClient, backend: Backend
) -> None:
    backend.configured_ns = NOW_NS - 60 * 10**9
    checks = {c["name"]: c for c in (await client.get("/api/health")).json()["checks"]}
    assert checks["evaluating"]["detail"] == "group availability was not evaluated in time"


async def test_a_receiver_that_keeps_failing_is_not_healthy(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = (delivery("failed", 10), delivery("delivered", 20))
    monkeypatch.setattr(backend.notifier, "history", lambda: history)
    checks = {c["name"]: c for c in (await client.get("/api/health")).json()["checks"]}
    assert checks["notifying"]["detail"] == "on-call (webhook) fails: HTTP 500"


async def test_a_receiver_that_is_no_longer_configured_is_not_held_against_the_watch(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = replace(delivery("failed", 10), receiver="a receiver of before")
    monkeypatch.setattr(backend.notifier, "history", lambda: (gone,))
    assert (await client.get("/api/health")).json()["ok"] is True


async def test_a_receiver_that_recovered_is_healthy(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = (delivery("delivered", 10), delivery("failed", 20))
    monkeypatch.setattr(backend.notifier, "history", lambda: history)
    assert (await client.get("/api/health")).json()["ok"] is True


@pytest.mark.parametrize(
    ("ways", "said"),
    [
        ((), "nothing had to be sent yet"),
        (("webhook",), "the last message arrived"),
        (("webhook", "email"), "the last message by each of 2 ways arrived"),
    ],
)
async def test_what_is_well_is_said_in_whole_words(
    client: httpx2.AsyncClient,
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    ways: tuple[str, ...],
    said: str,
) -> None:
    history = tuple(replace(delivery("delivered", 10), integration=way) for way in ways)
    receivers = (ReceiverStatus("on-call", ways), ReceiverStatus("everybody", ()))
    monkeypatch.setattr(backend.notifier, "receivers", lambda: receivers)
    monkeypatch.setattr(backend.notifier, "history", lambda: history)
    checks = {c["name"]: c for c in (await client.get("/api/health")).json()["checks"]}
    assert checks["evaluating"]["detail"] == "3 rules in 1 group"
    assert checks["notifying"]["detail"] == f"2 receivers; {said}"


async def test_notifications_are_told_newest_first(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend.notifier, "history", lambda: (delivery("delivered", 10),))
    assert (await client.get("/api/notifications")).json() == [
        {
            "timestamp": "2023-11-14T22:13:10.000Z",
            "receiver": "on-call",
            "integration": "webhook",
            "status": "firing",
            "alerts": 1,
            "outcome": "delivered",
            "detail": "HTTP 200",
            "summary": "firing: TargetDown",
        }
    ]


async def test_an_alerting_rule_names_whom_it_would_tell(client: httpx2.AsyncClient) -> None:
    (group,) = (await client.get("/api/alerts")).json()["groups"]
    recording, alerting, watchdog = group["rules"]
    assert "receivers" not in recording
    assert (alerting["state"], alerting["receivers"]) == ("inactive", ["on-call"])
    assert watchdog["receivers"] == ["everybody"]


async def test_dashboards_are_the_files_as_they_are(
    client: httpx2.AsyncClient, backend: Backend
) -> None:
    assert backend.places.dashboards is not None
    dashboard = {"uid": "app", "title": "Application", "panels": [{"id": 1}]}
    (backend.places.dashboards / "app.json").write_bytes(orjson.dumps(dashboard))
    (backend.places.dashboards / "broken.json").write_text("{")
    assert (await client.get("/api/dashboards")).json() == [
        {"uid": "app", "title": "Application", "description": ""}
    ]
    assert (await client.get("/api/dashboards/app")).json() == dashboard
    missing = await client.get("/api/dashboards/none")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "no_such_dashboard")


async def test_what_the_api_does_not_have_is_json_and_not_the_page(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/api/nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_endpoint")


@pytest.mark.parametrize(
    "expression", ["up", 'sum by (job) (rate(x{a="b & c#d"}[5m])) > 0.5 + 1', "x{a='50%+ü'}"]
)
async def test_the_link_of_an_alert_leads_to_its_expression_on_the_page(
    client: httpx2.AsyncClient, expression: str
) -> None:
    answer = await client.get("/graph", params={"g0.expr": expression, "g0.tab": "1"})
    assert answer.status_code == 302
    place, _, query = answer.headers["location"].partition("?")
    assert place == "/#/explore"
    assert parse_qs(query) == {"expr": [expression]}
