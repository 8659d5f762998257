"""The process that one assembly is measured in. It is told what to do on standard input.

python bench/measured.py NAME SINK              `N PATH` -> `WHOLE HOT` (CPU seconds)
python bench/measured.py NAME SINK WORKERS      `port` first; `cpu` -> CPU seconds so far
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from assemblies import ON_ASGI, ON_FASTAPI, Assembly


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Any) -> None:
    pass


def scope_of(number: int, path: str = "/items") -> dict[str, Any]:
    """Return one request of many: no two have the same path."""
    return {
        "type": "http",
        "method": "GET",
        "path": f"{path}/{UUID(int=(os.getpid() << 96) + number)}",
        "raw_path": path.encode(),
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
        count, path = line.split()
        requests = int(count)
        scopes = [scope_of(number + index, path) for index in range(requests)]
        number += requests
        before, hot_before = time.process_time(), time.thread_time()
        loop.run_until_complete(answer(assembly.app, scopes))
        hot = time.thread_time() - hot_before
        assembly.settle()
        print(time.process_time() - before, hot, flush=True)


def serve(name: str, sink: str, workers: int) -> None:
    """Serve on a free port, by so many processes that share the socket."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    children = [fork(name, sink, listener) for _ in range(workers)]
    try:
        print(listener.getsockname()[1], flush=True)
        for _ in sys.stdin:
            print(sum(map(cpu_seconds, children)), flush=True)
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)


def fork(name: str, sink: str, listener: socket.socket) -> int:
    """Return the process id of a child that serves under uvicorn, with uvloop and httptools."""
    child = os.fork()
    if child == 0:
        config = uvicorn.Config(
            assembly_of(name, sink).app,
            access_log=False,
            log_level="error",
            loop="uvloop",
            http="httptools",
        )
        uvicorn.Server(config).run(sockets=[listener])
        os._exit(0)
    return child


def cpu_seconds(process_id: int) -> float:
    """Return what all threads of a process have used. Source: proc(5), schedstat's first field."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def assembly_of(name: str, sink: str) -> Assembly:
    return {**ON_FASTAPI, **ON_ASGI}[name](sink)


def main() -> None:
    name, sink, *workers = sys.argv[1:]
    if workers:
        serve(name, sink, int(workers[0]))
    else:
        rounds(assembly_of(name, sink))


if __name__ == "__main__":
    main()
