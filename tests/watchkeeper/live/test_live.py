"""The command against what really runs: an instrumented service, the backend, Prometheus."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
import uvicorn
from click.testing import CliRunner
from fastapi import FastAPI

from resume_optimizer.devstack.ports import free_ports
from watchkeeper import Contract, Counter, Label, ScrapeJob, Settings, Signals, instrument
from watchkeeper.cli import main
from watchkeeper.conventions import http

ORDERS = Counter(
    name="orders_total", help="Orders.", labels=(Label("outcome", values=("paid", "declined")),)
)
SURPRISES = Counter(name="surprises_total", help="What nobody declared.")
NEVER = Counter(name="returns_total", help="Returns.", labels=(Label("reason", limit=5),))
DECLARED = Contract(
    service="shop",
    version="1",
    signals=http.SIGNALS + Signals(metrics=(ORDERS, NEVER)),
    scrape_jobs=(ScrapeJob(name="shop", targets=("127.0.0.1:0",)),),
)
REALLY = Contract(
    service="shop", version="1", signals=http.SIGNALS + Signals(metrics=(ORDERS, NEVER, SURPRISES))
)
NAME = f"{__name__}:DECLARED"
SURPRISE = "undeclared: surprises_total: 1 series of a metric nobody declared"
UNSEEN = "never seen: returns_total: no series of it is there"


def eventually(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if look():
                return
        except (httpx2.HTTPError, ValueError):
            pass
        time.sleep(0.05)
    pytest.fail(f"not seen: {what}")


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """The address of a service that emits one metric more than its contract says."""
    with pytest.MonkeyPatch.context() as patched:
        # What other tests registered with it is no part of this service.
        patched.delitem(sys.modules, "prometheus_client", raising=False)
        yield from _shop()


def _shop() -> Iterator[str]:
    app = FastAPI()
    watch = instrument(app, REALLY, Settings(log="off"))

    @app.post("/orders")
    async def order() -> dict[str, str]:
        watch.counter(ORDERS).inc(outcome="paid")
        watch.counter(SURPRISES).inc()
        return {}

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        eventually(lambda: httpx2.post(f"{url}/orders", timeout=60).is_success, "an order")
        yield url
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def scraping(shop: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("scraping")
    target = shop.removeprefix("http://")
    (directory / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: shop\n"
        f"    static_configs: [{{targets: ['{target}'], labels: {{zone: b}}}}]\n"
    )
    (directory / "alertmanager.yml").write_text(
        "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
    )
    (directory / "dashboards").mkdir()
    return directory


def running(command: list[str], ready: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(
            lambda: bool(httpx2.get(ready, timeout=60).json()["data"]["result"]), "a scraped series"
        )
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def backend(scraping: Path) -> Iterator[str]:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "watchkeeper.cli", "run", "--port", str(port)),
        *("--config", str(scraping / "prometheus.yml")),
        *("--alertmanager", str(scraping / "alertmanager.yml")),
        *("--dashboards", str(scraping / "dashboards"), "--data", str(scraping / "data")),
    ]
    for _ in running(command, f"{url}/prometheus/api/v1/query?query=orders_total"):
        yield url


@pytest.fixture(scope="module")
def prometheus(program: Callable[[str], str], scraping: Path) -> Iterator[str]:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    command = [
        program("prometheus"),
        f"--config.file={scraping / 'prometheus.yml'}",
        f"--storage.tsdb.path={scraping / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    for _ in running(command, f"{url}/api/v1/query?query=orders_total"):
        yield url


def live(*arguments: str):
    return CliRunner().invoke(main, ["live", NAME, *arguments])


@pytest.mark.parametrize("path", ["", "/metrics"])
def test_a_service_is_asked_itself(shop, path):
    result = live(shop + path)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[:-1] == [SURPRISE, UNSEEN]


@pytest.mark.parametrize("server", ["backend", "prometheus"])
def test_a_prometheus_is_asked_for_the_contracts_jobs(server, request):
    result = live(request.getfixturevalue(server))
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[:-1] == [SURPRISE, UNSEEN]


def test_a_build_fails_when_told_so(shop):
    assert live(shop, "--strict").exit_code == 1
    assert live(shop, "--strict", "--ignore", "surprises_.*").exit_code == 0
    assert live(shop, "--complete", "--ignore", "surprises_.*").exit_code == 1


def test_it_is_told_as_json(shop):
    found = json.loads(live(shop, "--json").output)
    assert found["series_seen"] > 10
    kinds = {one["metric"]: one["kind"] for one in found["differences"]}
    assert kinds == {"surprises_total": "undeclared", "returns_total": "never seen"}


def test_where_nothing_answers_is_one_line_and_status_2(shop):
    (port,) = free_ports(1)
    nowhere = live(f"http://127.0.0.1:{port}")
    assert (nowhere.exit_code, nowhere.output.count("\n")) == (2, 1)
    assert "is it running?" in nowhere.output
    other = live(f"{shop}/orders")
    assert other.exit_code == 2
    assert "neither metrics nor the API" in other.output
