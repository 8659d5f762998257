import httpx2
import pytest
from starlette.responses import PlainTextResponse

from watchkeeper.clock import SystemClock
from watchkeeper.server.access import Access, Caller, Role, _digest
from watchkeeper.server.guard import Guard, needed_role, protocol_of

pytestmark = pytest.mark.anyio

HERE = "http://127.0.0.1:9400"
TOKENS = {
    _digest("reader"): Caller(Role.READ),
    _digest("writer"): Caller(Role.WRITE),
    _digest("admin"): Caller(Role.ADMIN),
}


class Tally:
    def __init__(self) -> None:
        self.counted: list[tuple[str, int]] = []

    def count_request(self, protocol: str, status: int, seconds: float) -> None:
        self.counted.append((protocol, status))


def client(access: Access, tally: Tally | None = None) -> httpx2.AsyncClient:
    guarded = Guard(
        PlainTextResponse("in"), access=access, tally=tally or Tally(), clock=SystemClock()
    )
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=guarded), base_url=HERE)


async def test_every_answer_carries_the_strict_policy() -> None:
    answer = await client(Access()).get("/")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example:9400", "127.0.0.1.evil.example", ""])
async def test_a_name_that_was_bent_to_loopback_is_refused(host: str) -> None:
    answer = await client(Access()).get("/api/overview", headers={"host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9400", "[::1]:9400", "127.0.0.1"])
async def test_the_names_of_loopback_are_answered(host: str) -> None:
    answer = await client(Access()).get("/api/overview", headers={"host": host})
    assert answer.text == "in"


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"origin": "null"}])
async def test_a_page_of_another_origin_may_not_write(headers: dict[str, str]) -> None:
    answer = await client(Access()).post("/alertmanager/api/v2/silences", headers=headers)
    assert answer.status_code == 403


async def test_the_own_page_may_write() -> None:
    answer = await client(Access()).post("/-/reload", headers={"origin": HERE})
    assert answer.text == "in"


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("GET", "/healthz", "", 200),
        ("GET", "/api/overview", "", 401),
        ("GET", "/api/overview", "guessed", 401),
        ("GET", "/api/overview", "reader", 200),
        ("POST", "/prometheus/api/v1/query", "reader", 200),
        ("POST", "/v1/traces", "reader", 403),
        ("POST", "/v1/traces", "writer", 200),
        ("POST", "/-/reload", "writer", 403),
        ("POST", "/-/reload", "admin", 200),
        ("DELETE", "/alertmanager/api/v2/silence/1", "reader", 403),
    ],
)
async def test_a_token_opens_what_its_role_allows(
    method: str, path: str, token: str, status: int
) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = await client(Access(tokens=TOKENS)).request(method, path, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")


async def test_requests_are_counted_by_protocol_and_status() -> None:
    tally = Tally()
    await client(Access(), tally).get("/jaeger/api/services")
    await client(Access(tokens=TOKENS), tally).get("/metrics")
    assert tally.counted == [("jaeger", 200), ("metrics", 401)]


def test_whatever_is_asked_for_the_protocols_stay_few() -> None:
    assert {protocol_of(path) for path in ("/x/y", "/", "/logs", "*", "")} == {"page"}
    assert protocol_of("/v1/logs") == "otlp"
    assert protocol_of("/elasticsearch/_bulk") == "elasticsearch"


def test_an_unknown_way_to_write_needs_an_administrator() -> None:
    assert needed_role("PATCH", "/anything") is Role.ADMIN
