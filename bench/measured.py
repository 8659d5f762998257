"""The process that one assembly is measured in. It is told what to do on standard input.

python bench/measured.py NAME SINK            `round N` -> `WHOLE HOT` (CPU seconds)
python bench/measured.py NAME SINK --serve    `port` first; `cpu` -> CPU seconds so far
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from typing import Any
from uuid import UUID

import uvicorn
from assemblies import ON_ASGI, ON_FASTAPI, Assembly


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Any) -> None:
    pass


def scope_of(number: int) -> dict[str, Any]:
    """Return one request of many: no two have the same path."""
    return {
        "type": "http",
        "method": "GET",
        "path": f"/items/{UUID(int=(os.getpid() << 96) + number)}",
        "raw_path": b"/items",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"host", b"bench"), (b"user-agent", b"bench/1"), (b"accept", b"*/*")],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 80),
    }


async def answer(app: Any, scopes: list[dict[str, Any]]) -> None:
    for scope in scopes:
        await app(scope, receive, send)


def rounds(assembly: Assembly) -> None:
    """Answer as many requests as a line says; tell CPU seconds, all and those of the loop."""
    number = 0
    loop = asyncio.new_event_loop()
    for line in sys.stdin:
        requests = int(line)
        scopes = [scope_of(number + index) for index in range(requests)]
        number += requests
        assembly.begin()
        before, hot_before = time.process_time(), time.thread_time()
        loop.run_until_complete(answer(assembly.app, scopes))
        hot = time.thread_time() - hot_before
        assembly.settle()
        print(time.process_time() - before, hot, flush=True)


def serve(assembly: Assembly) -> None:
    """Serve on a free port, under uvicorn with uvloop and httptools."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        assembly.app, access_log=False, log_level="error", loop="uvloop", http="httptools"
    )
    server = uvicorn.Server(config)

    def tell() -> None:
        print(listener.getsockname()[1], flush=True)
        for _ in sys.stdin:
            print(time.process_time(), flush=True)
        server.should_exit = True

    threading.Thread(target=tell, daemon=True).start()
    server.run(sockets=[listener])


def main() -> None:
    name, sink = sys.argv[1], sys.argv[2]
    assembly = {**ON_FASTAPI, **ON_ASGI}[name](sink)
    if "--serve" in sys.argv:
        serve(assembly)
    else:
        rounds(assembly)


if __name__ == "__main__":
    main()
