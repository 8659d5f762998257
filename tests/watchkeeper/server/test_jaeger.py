from dataclasses import dataclass, field

import httpx2
import pytest

from watchkeeper.clock import SystemClock
from watchkeeper.errors import StorageError
from watchkeeper.model import SpanKind, SpanRecord
from watchkeeper.ports import Dependency, TraceQuery
from watchkeeper.server import jaeger
from watchkeeper.server.threads import Threads

pytestmark = pytest.mark.anyio

SPAN = SpanRecord("a" * 32, "1" * 16, "", "POST /jobs", SpanKind.SERVER, 10**18, 10**18 + 5, "api")


class FixedClock(SystemClock):
    @staticmethod
    def time_ns() -> int:
        return 1_700_000_000_000_000_000


@dataclass
class Spans:
    """A span store that holds one trace and notes what it is asked."""

    asked: list[object] = field(default_factory=list)

    def append(self, spans: object) -> None:
        raise AssertionError("a query API does not write")

    def trace(self, trace_id: str) -> list[SpanRecord]:
        self.asked.append(trace_id)
        return [SPAN] if trace_id == SPAN.trace_id else []

    def search(self, query: TraceQuery) -> list[list[SpanRecord]]:
        self.asked.append(query)
        return [[SPAN]]

    def services(self) -> list[str]:
        return ["api", "worker"]

    def operations(self, service: str) -> list[str]:
        if service == "broken":
            raise StorageError("the segment of today cannot be read")
        return [f"{service}: POST /jobs"]

    def dependencies(self, start_ns: int, end_ns: int) -> list[Dependency]:
        self.asked.append((start_ns, end_ns))
        return [Dependency("api", "worker", 3)]


@pytest.fixture
def spans() -> Spans:
    return Spans()


@pytest.fixture
def client(spans: Spans) -> httpx2.AsyncClient:
    app = jaeger.app(spans, Threads("reads", threads=1, waiting=9), FixedClock())
    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_services_and_operations_are_listed(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/api/services")).json()["data"] == ["api", "worker"]
    answer = await client.get("/api/services/a%2Fb/operations")
    assert answer.json()["data"] == ["a/b: POST /jobs"]


async def test_the_newer_api_lists_them_too(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/api/v3/services")).json() == {"services": ["api", "worker"]}
    answer = await client.get("/api/v3/operations?service=api")
    assert answer.json()["operations"] == [{"name": "api: POST /jobs", "spanKind": ""}]
    assert (await client.get("/api/v3/operations")).status_code == 400


async def test_a_search_becomes_one_query(client: httpx2.AsyncClient, spans: Spans) -> None:
    answer = await client.get(
        "/api/traces",
        params={
            "service": "api",
            "operation": "POST /jobs",
            "tags": '{"http.route":"/jobs","retried":true,"error":"true"}',
            "minDuration": "1.5ms",
            "maxDuration": "1m30s",
            "start": "1699999000000000",
            "end": "1700000000000000",
            "limit": "7",
        },
    )
    assert answer.json()["data"][0]["spans"][0]["operationName"] == "POST /jobs"
    assert spans.asked == [
        TraceQuery(
            start_ns=1_699_999_000_000_000_000,
            end_ns=1_700_000_000_000_000_000,
            service="api",
            operation="POST /jobs",
            attributes=(("http.route", "/jobs"), ("retried", "true")),
            minimum_duration_ns=1_500_000,
            maximum_duration_ns=90_000_000_000,
            errors_only=True,
            limit=7,
        )
    ]


@pytest.mark.parametrize(
    ("error", "errors_only", "without_errors", "attributes"),
    [
        ("true", True, False, ()),
        ("false", False, True, ()),
        ("timeout", False, False, (("error", "timeout"),)),
    ],
)
async def test_the_tag_error_asks_for_the_status_of_a_span(
    client: httpx2.AsyncClient,
    spans: Spans,
    error: str,
    errors_only: bool,
    without_errors: bool,
    attributes: tuple[tuple[str, str], ...],
) -> None:
    await client.get(f"/api/traces?service=api&tag=error:{error}")
    (query,) = spans.asked
    assert isinstance(query, TraceQuery)
    assert (query.errors_only, query.without_errors) == (errors_only, without_errors)
    assert query.attributes == attributes


async def test_a_search_looks_at_the_last_hour_by_default(
    client: httpx2.AsyncClient, spans: Spans
) -> None:
    await client.get("/api/traces?service=api")
    (query,) = spans.asked
    assert isinstance(query, TraceQuery)
    assert query.end_ns - query.start_ns == 3_600_000_000_000


@pytest.mark.parametrize(
    "query",
    [
        "",
        "service=api&minDuration=fast",
        "service=api&tags=nonsense",
        "service=api&tag=nonsense",
        "service=api&start=now",
        "service=api&limit=-1",
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(
    client: httpx2.AsyncClient, query: str
) -> None:
    answer = await client.get(f"/api/traces?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 400


async def test_a_trace_is_found_by_its_id_however_it_is_written(
    client: httpx2.AsyncClient, spans: Spans
) -> None:
    answer = await client.get(f"/api/traces/{'A' * 32}")
    assert answer.json()["data"][0]["traceID"] == "a" * 32
    await client.get("/api/traces/00ab")
    assert spans.asked[-1] == "ab".zfill(32)


async def test_a_trace_that_is_not_known_is_404_in_jaegers_words(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get(f"/api/traces/{'b' * 32}")
    assert answer.status_code == 404
    assert answer.json()["errors"] == [{"code": 404, "msg": "trace not found"}]
    assert (await client.get("/api/traces/not-hex")).status_code == 400


async def test_what_is_not_part_of_the_api_is_said_in_jaegers_words(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/api/nothing")
    assert answer.status_code == 404
    message = "/api/nothing is not part of this API"
    assert answer.json()["errors"] == [{"code": 404, "msg": message}]
    answer = await client.post("/api/traces")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, 405)
    assert answer.headers["allow"] == "GET, HEAD"


async def test_traces_can_be_asked_for_by_id(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"/api/traces?traceID={'a' * 32}&traceID={'b' * 32}")
    assert [trace["traceID"] for trace in answer.json()["data"]] == ["a" * 32]


async def test_dependencies_look_back_from_their_end(
    client: httpx2.AsyncClient, spans: Spans
) -> None:
    answer = await client.get("/api/dependencies?endTs=1700000000000&lookback=60000")
    assert answer.json()["data"] == [{"parent": "api", "child": "worker", "callCount": 3}]
    assert spans.asked == [(1_699_999_940_000_000_000, 1_700_000_000_000_000_000)]


async def test_a_store_that_fails_is_a_500_with_its_own_message(
    client: httpx2.AsyncClient,
) -> None:
    answer = await client.get("/api/services/broken/operations")
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["msg"] == "the segment of today cannot be read"
