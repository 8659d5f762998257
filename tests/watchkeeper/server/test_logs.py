import httpx2
import pytest

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000


async def test_log_lines_of_the_last_hour_come_newest_first(client: httpx2.AsyncClient) -> None:
    records = (await client.get("/api/logs")).json()["records"]
    assert [record["message"] for record in records] == [
        "job ended",
        "the model timed out",
        "job started",
    ]
    assert records[0]["timestamp_ns"] == "1699999990000000000"
    assert records[0]["timestamp"] == "2023-11-14T22:13:10.000000000Z"
    assert records[0]["attributes"] == {"job_id": "job-7"}


async def test_log_lines_are_found_by_query_trace_and_time(client: httpx2.AsyncClient) -> None:
    async def messages(**parameters: str) -> list[str]:
        answer = await client.get("/api/logs", params=parameters)
        return [record["message"] for record in answer.json()["records"]]

    assert await messages(query="timed") == ["the model timed out"]
    assert await messages(query="job", limit="1") == ["job ended"]
    assert await messages(trace_id="B" * 32) == []
    assert len(await messages(trace_id="A" * 32)) == 3
    assert await messages(end=str(NOW - 25)) == ["job started"]


async def test_the_histogram_counts_by_level(client: httpx2.AsyncClient) -> None:
    parameters = {"start": str(NOW - 40), "end": str(NOW), "buckets": "2"}
    answer = await client.get("/api/logs/histogram", params=parameters)
    buckets = answer.json()["buckets"]
    assert len(buckets) == 2
    total: dict[str, int] = {}
    for bucket in buckets:
        for level, count in bucket["counts"].items():
            total[level] = total.get(level, 0) + count
    assert total == {"INFO": 2, "ERROR": 1}
    assert buckets[0]["start"] == NOW - 40


@pytest.mark.parametrize(
    "parameters",
    [{"start": "x"}, {"start": "2", "end": "1"}, {"limit": "-1"}, {"limit": "nan"}],
)
async def test_what_makes_no_sense_is_refused(
    client: httpx2.AsyncClient, parameters: dict[str, str]
) -> None:
    answer = await client.get("/api/logs", params=parameters)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_parameter")
