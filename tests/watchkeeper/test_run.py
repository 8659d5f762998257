"""The command itself, started as a user starts it: a real process, a real port, a real target."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

PATIENCE_SECONDS = 60.0


class Target(BaseHTTPRequestHandler):
    """A service with one metric."""

    def do_GET(self) -> None:
        body = b"# TYPE jobs_total counter\njobs_total 42\n"
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""


@pytest.fixture
def target() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Target)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def directory(tmp_path: Path, target: str) -> Path:
    (tmp_path / "prometheus.yml").write_text(
        f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: jobs
    static_configs: [{{targets: ['{target}']}}]
"""
    )
    (tmp_path / "rules.yml").write_text(
        "groups: [{name: always, rules: [{alert: Watchdog, expr: vector(1)}]}]\n"
    )
    (tmp_path / "alertmanager.yml").write_text(
        "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
    )
    (tmp_path / "dashboards").mkdir()
    return tmp_path


class Running:
    """A started backend."""

    def __init__(self, directory: Path, *more: str) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "watchkeeper.cli", "run", "--port", "0"),
                *("--config", directory / "prometheus.yml"),
                *("--alertmanager", directory / "alertmanager.yml"),
                *("--dashboards", directory / "dashboards"),
                *("--data", directory / "data"),
                *more,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "listens on" not in line:
            pytest.fail(f"it did not start: {self.process.communicate()[1]}")
        self.client = httpx2.Client(
            base_url=line.split()[-1], trust_env=False, timeout=PATIENCE_SECONDS
        )

    def get(self, path: str, **parameters: str) -> Any:
        return self.client.get(path, params=parameters).json()

    def eventually(self, look: Callable[[], Any]) -> Any:
        """Return what `look` finds once it finds something."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not (found := look()):
            assert time.monotonic() < end, "it did not come about in time"
            time.sleep(0.05)
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """End it and return its exit status and what it logged."""
        self.client.close()
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, errors


@pytest.fixture
def start(directory: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def begin(*more: str) -> Running:
        started.append(Running(directory, *more))
        return started[-1]

    yield begin
    for running in started:
        if running.process.poll() is None:
            os.kill(running.process.pid, signal.SIGKILL)
            running.process.communicate()


def test_what_was_scraped_before_a_restart_is_found_after_it(
    start: Callable[..., Running],
) -> None:
    first = start()
    query = "/prometheus/api/v1/query"
    scraped = first.eventually(lambda: first.get(query, query="jobs_total")["data"]["result"])
    assert scraped[0]["value"][1] == "42"
    moment = str(scraped[0]["value"][0])
    firing = first.eventually(lambda: first.get("/prometheus/api/v1/alerts")["data"]["alerts"])
    assert firing[0]["labels"]["alertname"] == "Watchdog"
    assert first.eventually(lambda: first.get("/api/health")["ok"])
    status, errors = first.stop()
    assert (status, errors) == (0, "")

    second = start()
    again = second.get(query, query="jobs_total", time=moment)["data"]["result"]
    assert again[0]["value"][1] == "42"
    assert second.stop(signal.SIGINT)[0] == 0


def test_what_was_acknowledged_survives_a_kill(start: Callable[..., Running]) -> None:
    first = start()
    record = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": "x"}}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert first.client.post("/v1/logs", json=logs).status_code == 200
    first.process.kill()
    first.process.communicate()

    second = start()
    (found,) = second.get("/api/logs")["records"]
    assert found["message"] == "x"


def test_a_broken_file_is_told_on_reload_and_what_runs_goes_on(
    start: Callable[..., Running], directory: Path
) -> None:
    running = start()
    rules = directory / "rules.yml"
    rules.write_text("groups: [{name: broken, rules: [{alert: A, expr: 'sum('}]}]\n")
    answer = running.client.post("/-/reload")
    assert answer.status_code == 400
    assert "rules.yml" in answer.json()["error"]["message"]
    assert running.get("/prometheus/api/v1/rules")["data"]["groups"][0]["name"] == "always"

    rules.write_text("groups: [{name: mended, rules: [{alert: A, expr: vector(1)}]}]\n")
    running.process.send_signal(signal.SIGHUP)
    running.eventually(
        lambda: running.get("/prometheus/api/v1/rules")["data"]["groups"][0]["name"] == "mended"
    )


def test_a_taken_port_is_one_line_and_status_2(
    start: Callable[..., Running], directory: Path
) -> None:
    running = start()
    port = str(running.client.base_url.port)
    options = ["--config", directory / "prometheus.yml", "--data", directory / "other"]
    options += ["--alertmanager", directory / "alertmanager.yml", "--port", port]
    second = subprocess.run(
        [sys.executable, "-m", "watchkeeper.cli", "run", *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert second.returncode == 2
    assert second.stderr.splitlines() == [
        f"watchkeeper: 127.0.0.1:{port} is taken; stop what listens there or choose another --port"
    ]


def test_a_live_tail_does_not_hold_up_the_end(start: Callable[..., Running]) -> None:
    running = start()
    with running.client.stream("GET", "/api/logs/tail") as tail:
        lines = tail.iter_lines()
        assert next(lines) == "retry: 2000"
        running.process.send_signal(signal.SIGTERM)
        assert set(lines) <= {"", ": still here"}
    # Had it been waited for, the server would say that it cut an answer off.
    _, errors = running.process.communicate(timeout=PATIENCE_SECONDS)
    assert (running.process.returncode, errors) == (0, "")


def test_a_log_file_is_read_as_it_grows(start: Callable[..., Running], directory: Path) -> None:
    log = directory / "shop.log"
    log.write_text("sold a lamp\n")
    running = start("--tail", str(directory / "*.log"))
    records = running.eventually(lambda: running.get("/api/logs", query="lamp")["records"])
    assert [record["service"] for record in records] == ["shop"]
    assert running.stop() == (0, "")
