"""A collector for tests: OTLP over HTTP or HTTPS on loopback."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Collector:
    """An OTLP server on loopback that answers with the statuses it was given, then 200.

    `answer` is the body of a 200; `retry_after` goes with a 429.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answer = b""
        self.retry_after = "0.01"
        self.statuses: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.requests: list[tuple[str, bytes]] = []
        self.arrived = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = collector.statuses.pop(0) if collector.statuses else 200
                with collector.arrived:
                    collector.headers.append({k.lower(): v for k, v in self.headers.items()})
                    if status == 200:
                        if self.headers["content-encoding"] == "gzip":
                            body = gzip.decompress(body)
                        collector.requests.append((self.path, body))
                    collector.arrived.notify_all()
                self.send_response(status)
                if status == 429:
                    self.send_header("retry-after", collector.retry_after)
                answer = collector.answer if status == 200 else b""
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self.arrived:
            assert self.arrived.wait_for(condition, timeout=60)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
