import httpx2
import pytest

from watchkeeper.backend import Backend
from watchkeeper.wire.exposition import parse

pytestmark = pytest.mark.anyio

NOW_NS = 1_700_000_000_000_000_000


async def samples(client: httpx2.AsyncClient, accept: str = "") -> dict[tuple[str, ...], float]:
    answer = await client.get("/metrics", headers={"accept": accept})
    assert answer.status_code == 200, answer.text
    parsed = parse(answer.content, answer.headers["content-type"], 0)
    return {
        tuple(value for _, value in labels): number
        for labels, number in zip(parsed.labels, parsed.values, strict=True)
    }


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
async def test_the_backend_can_be_scraped_like_any_target(
    client: httpx2.AsyncClient, backend: Backend, accept: str
) -> None:
    await client.get("/api/overview")
    backend.evaluator.evaluate_group(backend.configuration.groups[0], NOW_NS)
    found = await samples(client, accept)
    assert found["watchkeeper_http_requests_total", "200", "api"] == 1
    assert found["watchkeeper_http_request_duration_seconds_count", "api"] == 1
    assert found["watchkeeper_rule_evaluations_total", "availability"] == 1
    assert found["watchkeeper_stored_total", "logs"] == 3
    assert found["process_resident_memory_bytes",] > 1e6


async def test_what_has_not_happened_yet_is_a_zero(client: httpx2.AsyncClient) -> None:
    found = await samples(client)
    assert found["watchkeeper_refused_total", "store_full", "spans"] == 0
    assert found["watchkeeper_notifications_total", "email", "failed"] == 0


async def test_every_delivery_is_counted_once_however_many_there_were(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {("slack", "delivered"): 1}
    monkeypatch.setattr(backend.notifier, "deliveries", lambda: counts)
    key = ("watchkeeper_notifications_total", "slack", "delivered")
    assert (await samples(client))[key] == 1
    counts["slack", "delivered"] = 300
    assert (await samples(client))[key] == 300
    assert (await samples(client))[key] == 300


async def test_the_targets_of_dashboards_are_found_under_their_names(
    client: httpx2.AsyncClient,
) -> None:
    text = (await client.get("/metrics")).text
    assert "# HELP watchkeeper_refused_total" in text
    assert "# TYPE watchkeeper_http_request_duration_seconds histogram" in text
