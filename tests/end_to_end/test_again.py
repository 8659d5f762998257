"""kill -9 of `make run` itself: nothing stays behind, and the next start finds the data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import httpx2
import pytest

from resume_optimizer.devstack.options import Ports
from resume_optimizer.devstack.ports import free_ports

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]


def processes_of(directory: Path) -> list[str]:
    """The command lines of processes that work in `directory`."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            known = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(directory).encode() in known:
            found.append((process / "cmdline").read_text(encoding="utf-8", errors="replace"))
    return found


class Run:
    """`make run` in a process of its own."""

    def __init__(self, directory: Path, ports: Ports) -> None:
        self.ports = ports
        self.output = directory / "output.txt"
        variables = {known.name.upper(): str(getattr(ports, known.name)) for known in fields(ports)}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "resume_optimizer.devstack"],
                env={**os.environ, **variables, "DATA": str(directory), "PACE": "20"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self, words: str) -> bool:
        return words in self.output.read_text()


def test_a_killed_launcher_leaves_no_process_and_the_next_one_finds_the_data(tmp_path, eventually):
    names = [known.name for known in fields(Ports)]
    ports = Ports(**dict(zip(names, free_ports(len(names)), strict=True)))
    first = Run(tmp_path, ports)
    eventually(lambda: first.said("ended with success"), "the first journey")
    backend = f"http://127.0.0.1:{ports.backend_port}"
    trace = httpx2.get(f"{backend}/api/traces", timeout=60).json()["traces"][0]["trace_id"]
    first.process.kill()
    first.process.wait()
    eventually(lambda: not processes_of(tmp_path), "the end of every process")

    second = Run(tmp_path, ports)
    try:
        eventually(lambda: second.said("ended with success"), "a journey after the second start")
        assert httpx2.get(f"{backend}/api/traces/{trace}", timeout=60).json()["spans"]
    finally:
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(120) == 0
    eventually(lambda: not processes_of(tmp_path), "the end of every process of the second start")
