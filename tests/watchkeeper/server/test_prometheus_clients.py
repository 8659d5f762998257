"""Clients of Prometheus, as they come, over a socket: promtool, prometheus-api-client, Grafana."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import uvicorn
from prometheus_api_client import PrometheusConnect

from watchkeeper.backend import Backend
from watchkeeper.clock import SystemClock
from watchkeeper.server.access import Access
from watchkeeper.server.application import Application
from watchkeeper.server.serve import listen, url_of

NOW = 1_700_000_000


@pytest.fixture
def url(backend: Backend) -> Iterator[str]:
    """The address of the API of a server that listens."""
    application = Application(backend, access=Access(), clock=SystemClock())
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"{url_of(listener)}/prometheus"
    server.should_exit = True
    thread.join()
    application.close()


@pytest.fixture
def promtool(program: Callable[[str], str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        command = [program("promtool"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_promtool_asks_at_a_moment_and_over_a_range(url: str, promtool: Callable[..., str]) -> None:
    at = datetime.fromtimestamp(NOW, UTC).isoformat()
    found = promtool("query", "instant", f"--time={at}", url, "sum by (job) (up)")
    assert found == f'{{job="api"}} => 1 @[{NOW}]\n{{job="worker"}} => 0 @[{NOW}]\n'
    bounds = (f"--start={NOW - 60}", f"--end={NOW}", "--step=60s")
    found = promtool("query", "range", *bounds, url, 'up{job="api"}')
    assert found == f'up{{job="api"}} =>\n1 @[{NOW - 60}]\n1 @[{NOW}]\n'


def test_promtool_lists_series_and_labels(url: str, promtool: Callable[..., str]) -> None:
    bounds = (f"--start={NOW - 600}", f"--end={NOW}")
    found = promtool("query", "series", *bounds, '--match=up{job!="api"}', url)
    assert found == '{__name__="up", job="worker"}\n'
    assert promtool("query", "labels", *bounds, url, "job") == "api\nworker\n"


def test_promtool_shows_what_is_wrong_with_a_query(url: str, program: Callable[[str], str]) -> None:
    command = [program("promtool"), "query", "instant", url, "sum("]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "bad_data" in done.stderr
    assert "parse error" in done.stderr


def test_prometheus_api_client_works(url: str) -> None:
    client = PrometheusConnect(url=url, disable_ssl=True)
    assert client.check_prometheus_connection()
    assert client.all_metrics() == ["up"]
    assert client.get_label_names() == ["__name__", "job"]
    assert client.get_label_values("job") == ["api", "worker"]
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (NOW - 600, NOW))
    (found,) = client.get_metric_range_data("up", {"job": "api"}, begin, end)
    assert found["metric"] == {"__name__": "up", "job": "api"}
    assert [value for _, value in found["values"]] == ["1"] * 10
    found = client.custom_query_range("sum(up)", begin, end, "60s")
    assert found[0]["values"][-1] == [NOW, "1"]
    assert client.custom_query("sum(up)", {"time": NOW}) == [{"metric": {}, "value": [NOW, "1"]}]


GRAFANA = [
    ("GET", "query", {"query": "1+1"}),
    ("POST", "query", {"query": "1+1", "time": f"{NOW}"}),
    (
        "POST",
        "query_range",
        {"query": "up", "start": f"{NOW - 60}", "end": f"{NOW}.123", "step": "15"},
    ),
    ("GET", "query_range", {"query": "up", "start": f"{NOW - 60}", "end": f"{NOW}", "step": "15"}),
    ("POST", "query_exemplars", {"query": "up", "start": f"{NOW - 60}", "end": f"{NOW}"}),
    ("POST", "labels", {"start": f"{NOW - 60}", "end": f"{NOW}", "match[]": "up"}),
    ("POST", "series", {"start": f"{NOW - 60}", "end": f"{NOW}", "match[]": "up"}),
    ("GET", "label/__name__/values", {"start": f"{NOW - 60}", "end": f"{NOW}"}),
    ("GET", "label/U__job/values", {"match[]": '{__name__="up"}', "limit": "40000"}),
    ("GET", "metadata", {"limit_per_metric": "1"}),
    ("GET", "status/buildinfo", {}),
    ("GET", "rules", {}),
    ("GET", "alerts", {}),
]


@pytest.mark.parametrize(("method", "path", "given"), GRAFANA, ids=lambda one: str(one)[:40])
def test_grafana_gets_what_it_asks_for(
    url: str, method: str, path: str, given: dict[str, Any]
) -> None:
    address = f"{url}/api/v1/{path}"
    with httpx2.Client(timeout=60) as client:
        if method == "GET":
            answer = client.get(address, params=given)
        else:
            answer = client.post(address, data=given)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    content = answer.json()
    assert content["status"] == "success"
    assert content["data"] or path in ("query_exemplars", "metadata")


def test_a_query_ends_when_its_client_hangs_up(
    url: str, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, stopped = threading.Event(), threading.Event()

    def wait(query: str, moment_ms: int, *, lookback_ms: int | None, cancelled: Any) -> None:
        began.set()
        deadline = time.monotonic() + 60
        while not cancelled() and time.monotonic() < deadline:
            stopped.wait(0.01)
        if cancelled():
            stopped.set()

    monkeypatch.setattr(backend.engine, "instant", wait)
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port)) as client:
        asked = f"GET {place.path}/api/v1/query?query=up HTTP/1.1\r\nhost: {place.netloc}\r\n\r\n"
        client.sendall(asked.encode())
        assert began.wait(30)
    assert stopped.wait(30)
