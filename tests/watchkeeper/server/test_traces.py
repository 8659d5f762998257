import httpx2
import pytest

pytestmark = pytest.mark.anyio

TRACE = "a" * 32


async def test_a_trace_is_one_line_in_the_list(client: httpx2.AsyncClient) -> None:
    (trace,) = (await client.get("/api/traces")).json()["traces"]
    assert trace == {
        "trace_id": TRACE,
        "root_service": "api",
        "root_name": "POST /jobs",
        "start": 1_699_999_970.0,
        "duration_seconds": 3.0,
        "spans": 2,
        "errors": 1,
        "services": {"api": 1, "worker": 1},
    }


async def test_traces_are_found_by_service_duration_and_error(client: httpx2.AsyncClient) -> None:
    async def count(**parameters: str) -> int:
        answer = await client.get("/api/traces", params=parameters)
        return len(answer.json()["traces"])

    assert await count(service="worker", errors_only="true") == 1
    assert await count(service="api", errors_only="true") == 0
    assert await count(service="api", min_duration_seconds="2.5") == 0
    assert await count(operation="POST /jobs") == 1


async def test_a_trace_has_its_spans(client: httpx2.AsyncClient) -> None:
    trace = (await client.get(f"/api/traces/{TRACE}")).json()
    root, child = trace["spans"]
    assert (root["kind"], child["parent_span_id"]) == ("server", "1" * 16)
    assert (child["duration_ns"], child["status"]) == (2_000_000_000, "error")
    assert root["start_ns"] == "1699999970000000000"


async def test_a_trace_that_is_not_known_is_404(client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"/api/traces/{'b' * 32}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_trace")


async def test_services_and_their_operations_are_listed(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/api/services")).json() == ["api", "worker"]
    assert (await client.get("/api/services/api/operations")).json() == ["POST /jobs"]


@pytest.mark.parametrize("wanted", ["job-7", TRACE, TRACE.upper(), f" {TRACE} "])
async def test_a_job_or_a_trace_id_leads_to_the_trace(
    client: httpx2.AsyncClient, wanted: str
) -> None:
    answer = await client.get("/api/find", params={"q": wanted})
    assert answer.json() == {"kind": "trace", "trace_id": TRACE}


@pytest.mark.parametrize("wanted", ["", "job-8", "b" * 32])
async def test_what_leads_nowhere_says_so(client: httpx2.AsyncClient, wanted: str) -> None:
    answer = await client.get("/api/find", params={"q": wanted})
    assert answer.json() == {"kind": "none", "trace_id": ""}
