"""What we tell, beside what the real Alertmanager tells of the same alerts."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from resume_optimizer.devstack.ports import free_ports
from watchkeeper.clock import SystemClock
from watchkeeper.model import FiringAlert, labels
from watchkeeper.notify import Notifier, load_config

pytestmark = pytest.mark.anyio

CONFIG = """
route:
  receiver: none
  routes:
    - matchers: ['severity=~"critical|warning"', 'team="web"']
      receiver: web
      group_by: [alertname, job]
      group_wait: 0s
receivers:
  - name: none
  - name: web
    webhook_configs: [{{url: "{url}"}}]
"""
LABELS = {"alertname": "Slow", "job": "api", "severity": "warning", "team": "web"}
ANNOTATIONS = {"summary": 'It is <slow> & "bad"', "description": "ü"}


@pytest.fixture
def hook() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    """A real webhook and what it was told."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", told
    server.shutdown()
    thread.join()
    server.server_close()


def told_by_alertmanager(
    program: str, directory: Path, alert: dict[str, Any], told: queue.Queue[dict[str, Any]]
) -> dict[str, Any]:
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [
            program,
            f"--config.file={directory}/alertmanager.yml",
            f"--storage.path={directory}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.external-url=http://127.0.0.1:9400",
            "--cluster.listen-address=",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v2/alerts",
        data=json.dumps([alert]).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(request, timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline, "Alertmanager does not answer"
                threading.Event().wait(0.05)
        return told.get(timeout=60)
    finally:
        process.terminate()
        process.wait()


async def test_a_webhook_is_told_the_same(program, hook, tmp_path: Path) -> None:
    url, told = hook
    (tmp_path / "alertmanager.yml").write_text(CONFIG.format(url=url), encoding="utf-8")
    starts_ns = SystemClock.time_ns() // 10**9 * 10**9 - 60 * 10**9
    alert = {
        "labels": LABELS,
        "annotations": ANNOTATIONS,
        "startsAt": datetime.fromtimestamp(starts_ns // 10**9, tz=UTC).isoformat(),
        "generatorURL": "http://127.0.0.1/graph",
    }
    theirs = told_by_alertmanager(program("prometheus-alertmanager"), tmp_path, alert, told)
    async with httpx2.AsyncClient(timeout=60) as client:
        notifier = Notifier(
            load_config(tmp_path / "alertmanager.yml"),
            clock=SystemClock(),
            client=client,
            external_url="http://127.0.0.1:9400",
        )
        notifier.put(
            [
                FiringAlert(
                    labels(LABELS), labels(ANNOTATIONS), starts_ns, None, "http://127.0.0.1/graph"
                )
            ]
        )
        await notifier.flush()
    assert told.get(timeout=60) == theirs
