"""The other ends of the benchmark: a collector that throws everything away, and wrk."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WRK_SECONDS = 1
WRK_CONNECTIONS = 8


class Collector(BaseHTTPRequestHandler):
    """Answers every export with 200."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def collector() -> Iterator[str]:
    """Give the address of a collector that runs in a process of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    child = os.fork()
    if child == 0:
        server.serve_forever()
    server.server_close()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def load(port: int, path: str = "/items", connections: int = WRK_CONNECTIONS) -> int:
    """Send requests for WRK_SECONDS; return how many were answered."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{WRK_SECONDS}s"]
    finished = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{path}/17"], capture_output=True, text=True, check=True
    )
    answered = re.search(r"(\d+) requests in", finished.stdout)
    if answered is None or "Non-2xx" in finished.stdout:
        raise RuntimeError(f"wrk: {finished.stdout}{finished.stderr}")
    return int(answered[1])
