"""The shop of examples/ is declared, instrumented, rendered, checked, and really runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from resume_optimizer.devstack.ports import free_ports

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop"
CONTRACT = "shop.telemetry:CONTRACT"
DOCUMENTS = ("--output", "docs/catalogue.md", "--runbooks", "docs/runbooks.md")
DECLINED_CENTS = 666
PATIENCE_SECONDS = 60.0


class Provider(BaseHTTPRequestHandler):
    """Takes money, except for an amount that brings bad luck."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(402 if f'"cents":{DECLINED_CENTS}'.encode() in body else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def provider() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def shop(provider: ThreadingHTTPServer) -> Iterator[str]:
    (port,) = free_ports(1)
    environment = {
        **os.environ,
        "SHOP_PAYMENTS_URL": f"http://127.0.0.1:{provider.server_port}",
        "WATCHKEEPER_LOG": "off",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "shop.app:app", "--port", str(port)],
        cwd=EXAMPLE,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: get(f"{url}/metrics").is_success)
        yield url
    finally:
        process.terminate()
        process.wait()


def eventually(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if look():
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.02)
    pytest.fail(f"not seen within {PATIENCE_SECONDS:g} s")


def get(url: str) -> httpx2.Response:
    return httpx2.get(url, timeout=PATIENCE_SECONDS)


def order(shop: str, cents: int) -> httpx2.Response:
    wanted = {"item": "a cake", "cents": cents}
    return httpx2.post(f"{shop}/orders", json=wanted, timeout=PATIENCE_SECONDS)


def watchkeeper(*arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "watchkeeper.cli", *arguments],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_an_order_is_paid_and_packed_and_all_of_it_is_seen(shop):
    paid = order(shop, 1200)
    assert paid.status_code == 201
    number = paid.json()["order"]
    eventually(lambda: get(f"{shop}/orders/{number}").json()["packed"])
    assert order(shop, DECLINED_CENTS).status_code == 402
    seen = get(f"{shop}/metrics").text
    for line in (
        'orders_total{outcome="paid"} 1',
        'orders_total{outcome="declined"} 1',
        'orders_total{outcome="failed"} 0',
        'completed_jobs_total{status="completed"} 1',
        'queue_wait_seconds_count{queue="parcels"} 1',
        'http_requests_total{method="POST",endpoint="/orders",status_code="402"} 1',
    ):
        assert line in seen
    assert re.search(r'http_client_request_duration_seconds_count\{.*status_code="402"\} 1', seen)


def test_what_runs_is_what_the_contract_says(shop):
    order(shop, 1200)
    assert "no differences from the contract" in watchkeeper("live", CONTRACT, shop, "--strict")


def test_the_contract_has_no_fault():
    assert watchkeeper("check", CONTRACT, "--fail-on", "warning") == "nothing found\n"


def test_every_alert_fires_when_it_must_and_reaches_somebody():
    assert "10 of 11 alerts proved, 1 always fires" in watchkeeper(
        "prove", CONTRACT, "--no-mutation"
    )


def test_what_it_renders_to_is_accepted_by_its_readers(program, tmp_path):
    watchkeeper("render", CONTRACT, "--directory", str(tmp_path))
    for command in (
        [program("promtool"), "check", "config", "prometheus/prometheus.yml"],
        [program("promtool"), "check", "rules", "prometheus/rules/shop.yml"],
        [program("amtool"), "check-config", "alertmanager/alertmanager.yml"],
    ):
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_its_documents_say_what_the_contract_says():
    watchkeeper("docs", CONTRACT, *DOCUMENTS, "--check")


def test_a_provider_that_is_down_is_a_failed_order(shop, provider):
    provider.shutdown()
    provider.server_close()
    assert order(shop, 1200).status_code == 503
    seen = get(f"{shop}/metrics").text
    assert 'orders_total{outcome="failed"} 1' in seen
    assert re.search(r'duration_seconds_count\{.*status_code="none"\} 1', seen)
