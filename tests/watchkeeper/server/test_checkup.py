import json

import httpx2
import pytest

from watchkeeper.clock import SystemClock
from watchkeeper.errors import ConfigError
from watchkeeper.server.checkup import Finding, as_json, as_table, look

SERVICE, BACKEND = "http://127.0.0.1:8000", "http://127.0.0.1:9400"
READY = {
    "status": "degraded",
    "dependencies": [
        {"name": "database", "up": False, "latency_seconds": 0.002, "detail": "refused"},
        {"name": "worker", "up": True, "latency_seconds": 0.001, "detail": ""},
    ],
}
HEALTH = {
    "ok": True,
    "checks": [
        {"name": name, "ok": True, "detail": "", "latency_seconds": 0.0}
        for name in ("scraping", "storing", "evaluating", "notifying")
    ],
}


def world(**answers: object) -> httpx2.MockTransport:
    def answer(request: httpx2.Request) -> httpx2.Response:
        found = answers.get(request.url.path.rpartition("/")[2], 404)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, int):
            return httpx2.Response(found, text="plain words")
        status, content = found  # type: ignore[misc] # a pair by convention of this test
        return httpx2.Response(status, json=content)

    return httpx2.MockTransport(answer)


def found(**answers: object) -> dict[str, Finding]:
    return {
        finding.name: finding
        for finding in look(SERVICE, BACKEND, clock=SystemClock(), transport=world(**answers))
    }


def test_every_part_is_a_row() -> None:
    rows = found(live=200, ready=(503, READY), health=(200, HEALTH))
    assert list(rows) == [
        "api",
        "database",
        "worker",
        "scraping",
        "storing",
        "evaluating",
        "notifying",
    ]
    assert [name for name, row in rows.items() if not row.ok] == ["database"]
    assert rows["database"].detail == "refused"


def test_the_monitoring_is_looked_at_when_the_service_is_gone() -> None:
    gone = httpx2.ConnectError("refused")
    rows = found(live=gone, ready=gone, health=(200, HEALTH))
    assert not rows["api"].ok
    assert "cannot be reached" in rows["dependencies"].detail
    assert rows["scraping"].ok


def test_the_service_is_looked_at_when_the_monitoring_is_gone() -> None:
    rows = found(live=200, ready=(503, READY), health=httpx2.ReadTimeout("late"))
    assert rows["worker"].ok
    assert not rows["notifying"].ok
    assert "did not answer within" in rows["notifying"].detail


def test_a_check_that_fails_in_the_backend_is_down_and_says_why() -> None:
    checks = [{"name": "storing", "ok": False, "detail": "no room on disk", "latency_seconds": 0.1}]
    rows = found(live=200, ready=(200, READY), health=(503, {"ok": False, "checks": checks}))
    assert (rows["storing"].ok, rows["storing"].detail) == (False, "no room on disk")
    assert not rows["scraping"].ok


@pytest.mark.parametrize("strange", [500, (200, []), (200, {"dependencies": [1, {"up": "yes"}]})])
def test_a_strange_answer_is_a_fault_and_not_a_crash(strange: object) -> None:
    rows = found(live=200, ready=strange, health=strange)
    assert not all(row.ok for row in rows.values())


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(ConfigError, match="WATCHKEEPER_TOKEN") as error:
        look("http://user:hunter2@127.0.0.1:8000", BACKEND, clock=SystemClock())
    assert "hunter2" not in str(error.value)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="not an http"):
        look("127.0.0.1:8000", BACKEND, clock=SystemClock())


def test_the_token_goes_to_the_backend_alone() -> None:
    seen: dict[str, str | None] = {}

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen[request.url.path] = request.headers.get("authorization")
        return httpx2.Response(404)

    look(
        SERVICE,
        BACKEND,
        clock=SystemClock(),
        token="t" * 24,
        transport=httpx2.MockTransport(answer),
    )
    assert seen["/api/health"] == "Bearer " + "t" * 24
    assert seen["/health/ready"] is None


def test_the_table_ends_with_a_verdict() -> None:
    up = Finding("service", "api", True, latency_seconds=0.0021)
    down = Finding("monitoring", "storing", False, "no room on disk", 0.5)
    assert as_table([up, down]).splitlines() == [
        "service     api      up    2.1 ms",
        "monitoring  storing  DOWN  500.0 ms  no room on disk",
        "",
        "Down: storing.",
    ]
    assert as_table([up]).endswith("Everything is up.")


def test_the_data_says_whether_all_is_well() -> None:
    down = Finding("service", "api", False, "refused")
    data = json.loads(json.dumps(as_json([down])))
    assert data["ok"] is False
    assert data["findings"][0]["detail"] == "refused"
