from dataclasses import replace
from pathlib import Path

import httpx2
import numpy as np
import pytest
from tests.watchkeeper.server.conftest import Clock

from watchkeeper.backend import Backend, Places
from watchkeeper.errors import StorageError
from watchkeeper.ingest.scrape import TargetStatus
from watchkeeper.model import SampleBatch
from watchkeeper.server.own_metrics import OwnMetrics, RequestCounts
from watchkeeper.wire.exposition import encode, parse

pytestmark = pytest.mark.anyio

DEPLOY = Path(__file__).parents[3] / "deploy"
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


async def test_a_target_that_may_be_starting_is_not_counted_as_down(
    client: httpx2.AsyncClient, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = TargetStatus("shop", (), (), "http://shop/metrics", "down", 1, 0.1, "refused", 15, 10)
    found = [status, replace(status, starting=True)]
    monkeypatch.setattr(backend, "targets", lambda: found)
    page = await samples(client)
    assert page["watchkeeper_targets", "down", "shop"] == 1
    assert page["watchkeeper_targets", "unknown", "shop"] == 1
    assert page["watchkeeper_targets", "up", "shop"] == 0


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


def test_what_the_backend_says_of_itself_fires_its_own_alerts(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    places.prometheus.write_text(f"rule_files: [{DEPLOY}/prometheus/rules/watchkeeper.yml]\n")
    backend = Backend.open(places, clock=Clock())
    monkeypatch.setattr(backend.store.logs.tiers, "write_frozen", refuse)
    try:
        for minute in range(3):
            keep_own_metrics(backend, NOW_NS + minute * 60_000_000_000)
            with pytest.raises(StorageError):
                backend.store.flush()
        (group,) = backend.configuration.groups
        backend.evaluator.evaluate_group(group, NOW_NS + 120_000_000_000)
        (shown,) = backend.groups()
    finally:
        backend.store.close()
    assert {rule.name for rule in shown.rules if rule.alerts} == {"WatchkeeperFlushFailing"}


def refuse(_: int) -> None:
    raise StorageError("the disk takes no more")


def keep_own_metrics(backend: Backend, at_ns: int) -> None:
    """Put the backend's metrics into its store, as a scrape at that moment would."""
    text, content_type = encode(OwnMetrics(backend, RequestCounts()).families(), "")
    found = parse(text, content_type, 0)
    times = np.full(len(found.labels), at_ns // 1_000_000)
    backend.store.metrics.append(SampleBatch(found.labels, times, np.array(found.values)))
