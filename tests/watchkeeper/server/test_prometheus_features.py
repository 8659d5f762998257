"""What Prometheus' API tells beside queries: trees, costs, targets' metadata, federation."""

from __future__ import annotations

from typing import Any

import httpx2
import numpy as np
import orjson
import pytest

from watchkeeper.backend import Backend
from watchkeeper.model import MetricMetadata, MetricType, SampleBatch, labels
from watchkeeper.promql import Result, ResultType
from watchkeeper.server import query_answers

pytestmark = pytest.mark.anyio

API = "/prometheus/api/v1"
NOW = 1_700_000_000


async def data(client: httpx2.AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(f"{API}/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def test_a_query_is_told_as_a_tree(client: httpx2.AsyncClient) -> None:
    tree = await data(client, "parse_query", query='sum by (job) (rate(up{job="api"}[5m])) > 0.5')
    assert tree["type"] == "binaryExpr"
    assert tree["rhs"] == {"type": "numberLiteral", "val": "0.5"}
    assert tree["lhs"]["grouping"] == ["job"]
    call = tree["lhs"]["expr"]
    assert call["func"]["argTypes"] == ["matrix"]
    assert call["args"][0]["range"] == 300_000
    assert call["args"][0]["matchers"][1] == {"name": "job", "value": "api", "type": "="}


async def test_the_cost_of_a_query_is_told_when_asked_for(client: httpx2.AsyncClient) -> None:
    assert "stats" not in await data(client, "query", query="up")
    stats = (await data(client, "query", query="up", stats="all"))["stats"]
    assert stats["samples"]["totalQueryableSamples"] > 0
    assert stats["timings"]["execTotalTime"] >= 0


async def test_how_far_back_a_query_looks_can_be_said(client: httpx2.AsyncClient) -> None:
    moment = NOW + 90
    assert len((await data(client, "query", query="up", time=moment))["result"]) == 2
    near = await data(client, "query", query="up", time=moment, lookback_delta="1m")
    assert near["result"] == []
    usual = await data(client, "query", query="up", time=moment, lookback_delta="0s")
    assert len(usual["result"]) == 2
    refused = await client.get(f"{API}/query", params={"query": "up", "lookback_delta": "soon"})
    assert refused.status_code == 400
    assert refused.json()["error"] == (
        'error parsing lookback delta duration: cannot parse "soon" to a valid duration'
    )


async def test_series_are_handed_to_another_prometheus(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/prometheus/federate", params={"match[]": '{job="api"}'})
    assert answer.text == f'# TYPE up untyped\nup{{job="api"}} 1 {NOW * 1000}\n'
    assert (await client.get("/prometheus/federate")).status_code == 400


async def test_the_log_is_replayed_by_the_time_anybody_asks(client: httpx2.AsyncClient) -> None:
    assert (await data(client, "status/walreplay"))["state"] == "done"


async def test_the_one_alertmanager_is_its_own(client: httpx2.AsyncClient) -> None:
    found = await data(client, "alertmanagers")
    assert found["activeAlertmanagers"] == [
        {"url": "http://127.0.0.1:9400/alertmanager/api/v2/alerts"}
    ]


async def test_features_name_the_functions(client: httpx2.AsyncClient) -> None:
    assert (await data(client, "features"))["promql_functions"]["rate"] is True


async def test_metadata_is_told_target_by_target(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Target:
        labels = labels({"job": "api"})

    monkeypatch.setattr(backend, "targets", lambda: [Target()])
    backend.store.metrics.append(
        SampleBatch(
            [labels({"__name__": "other", "job": "worker"})],
            np.array([NOW * 1000 + 1]),
            np.array([1.0]),
            metadata=[
                MetricMetadata("up", MetricType.GAUGE, "Whether the target answers."),
                MetricMetadata("other", MetricType.GAUGE, "Of another target."),
            ],
        )
    )
    found = await data(client, "targets/metadata", match_target='{job="api"}')
    assert [(one["metric"], one["help"]) for one in found] == [
        ("up", "Whether the target answers.")
    ]
    assert await data(client, "targets/metadata", match_target='{job="none"}') == []
    assert await data(client, "targets/metadata", match_target='{job="api"}', limit="0") == []
    assert list(await data(client, "metadata")) == ["other", "up"]
    assert list(await data(client, "metadata", limit="1")) == ["other"]
    assert len((await data(client, "metadata", limit_per_metric="1"))["up"]) == 1
    refused = await client.get(f"{API}/metadata", params={"limit": "many"})
    assert (refused.status_code, refused.json()["error"]) == (400, "limit must be a number")


async def test_a_large_result_is_the_same_as_a_small_one(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = {"query": "up", "start": NOW - 600, "end": NOW, "step": "1m"}
    whole = await client.get(f"{API}/query_range", params=query)
    monkeypatch.setattr(query_answers, "STREAMED_SAMPLES", 1)
    streamed = await client.get(f"{API}/query_range", params=query)
    assert streamed.json() == whole.json()
    assert "content-length" in whole.headers
    assert "content-length" not in streamed.headers


async def test_no_piece_of_a_large_result_is_large() -> None:
    shape = (2000, 240)
    result = Result(
        ResultType.MATRIX,
        [labels({"n": str(row)}) for row in range(shape[0])],
        np.arange(240, dtype=np.int64) * 1000,
        np.ones(shape) / 3,
        np.ones(shape, dtype=np.bool_),
    )
    pieces = list(query_answers.gathered(query_answers.encode_pieces(result)))
    assert max(map(len, pieces)) < 400_000
    assert len(orjson.loads(b"".join(pieces))["result"]) == 2000
