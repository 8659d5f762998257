"""A real Prometheus scrapes a watched process's native histogram, and answers over it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from resume_optimizer.devstack.ports import free_ports

WITHIN_SECONDS = 60.0
HUNDREDTHS = """
import sys
import uvicorn
from watchkeeper import Contract, Histogram, Settings, Signals, Telemetry
from watchkeeper.contract import NativeBuckets

wait = Histogram(
    name="wait_seconds", help="Wait.", unit="seconds", buckets=(10.0,), native=NativeBuckets()
)
contract = Contract(service="shop", version="1", signals=Signals(metrics=(wait,)))
with Telemetry(contract, Settings(log="off")) as telemetry:
    for hundredth in range(1, 101):
        telemetry.histogram(wait).observe(hundredth / 100)
    uvicorn.run(telemetry.metrics_app(), fd=int(sys.argv[1]), log_level="critical")
"""


@pytest.fixture
def watched_process() -> Iterator[str]:
    """The address of a process that has waited 0.01, 0.02, ... 1.00 seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, "-c", HUNDREDTHS, str(listener.fileno())],
            pass_fds=[listener.fileno()],
        )
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        process.kill()
        process.wait()


@pytest.fixture
def prometheus(
    program: Callable[[str], str], watched_process: str, tmp_path: Path
) -> Iterator[httpx2.Client]:
    """A client of a Prometheus that scrapes the process twice a second."""
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(
        "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\n"
        "scrape_configs:\n"
        f"  - {{job_name: shop, static_configs: [{{targets: ['{watched_process}']}}]}}\n"
    )
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [
            *(program("prometheus"), "--enable-feature=native-histograms"),
            *(f"--config.file={configuration}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"),
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    with httpx2.Client(base_url=address, trust_env=False, timeout=WITHIN_SECONDS) as client:
        yield client
    process.kill()
    process.wait()


def answer(prometheus: httpx2.Client, query: str) -> dict[str, Any]:
    """Return the one series that a query finds, once there is one."""
    end = time.monotonic() + WITHIN_SECONDS
    while True:
        try:
            asked = prometheus.get("/api/v1/query", params={"query": query})
            if asked.is_success and (found := asked.json()["data"]["result"]):
                return dict(found[0])
        except httpx2.TransportError:
            pass
        assert time.monotonic() < end, f"{query} found nothing in time"
        time.sleep(0.05)


def test_a_real_prometheus_answers_over_a_native_histogram_that_it_scraped(
    prometheus: httpx2.Client,
) -> None:
    scraped = answer(prometheus, "wait_seconds")["histogram"][1]
    assert scraped["count"] == "100"
    assert float(scraped["sum"]) == pytest.approx(50.5)
    # A bucket of schema 3 is 9 % wide.
    for quantile in (0.1, 0.5, 0.95):
        query = f"histogram_quantile({quantile}, wait_seconds)"
        found = float(answer(prometheus, query)["value"][1])
        assert found == pytest.approx(quantile, rel=2 ** (1 / 8) - 1)
    below_half = answer(prometheus, "histogram_fraction(0, 0.5, wait_seconds)")["value"][1]
    assert float(below_half) == pytest.approx(0.5, abs=0.01)
