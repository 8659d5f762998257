"""kill -9 of each part, in the middle of its work: nothing that was acknowledged is lost."""

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

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]


def kill(stack, part: str) -> None:
    stack.launcher.supervisor.child(part).process.send_signal(signal.SIGKILL)
    stack.launcher.supervisor.child(part).process.wait()


def revive(stack, eventually) -> None:
    """Let the supervisor notice and start again what died."""

    def all_alive():
        supervisor = stack.launcher.supervisor
        supervisor.watch()
        names = ("worker", "api-0", "api-1", "watchkeeper")
        children = [supervisor.child(name) for name in names]
        return all(child is not None and child.alive for child in children)

    eventually(all_alive, 15, "every part alive")


def test_a_job_whose_worker_is_killed_ends_once(stack, eventually):
    person = stack.person("killed-worker@resume-optimizer.example")
    slow = stack.fault("llm-slow")
    slow.put_in()
    try:
        job_id = person.ask_for_job()
        eventually(lambda: person.job(job_id)["status"] == "running", 20, "the job under way")
        kill(stack, "worker")
    finally:
        slow.take_out()
    revive(stack, eventually)
    job = person.finished_job(job_id, within_seconds=90)
    assert job["status"] == "completed"

    def completed_lines():
        query = f"job_id:{job_id}"
        records = stack.ask("/api/logs", query=query, limit=100)["records"]
        return [record for record in records if record["message"] == "Job completed"]

    assert len(eventually(completed_lines, 20, "the line about its end")) == 1


def test_a_killed_api_process_is_missed_by_nobody_for_long(stack, eventually):
    person = stack.person("killed-api@resume-optimizer.example")
    job_id = person.ask_for_job()
    kill(stack, "api-0")
    kill(stack, "api-1")
    revive(stack, eventually)
    assert person.finished_job(job_id)["status"] == "completed"


def test_a_killed_backend_finds_what_it_acknowledged(stack, eventually):
    person = stack.person("killed-backend@resume-optimizer.example")
    job_id = person.ask_for_job()
    person.finished_job(job_id)
    trace = eventually(
        lambda: stack.ask("/api/find", q=job_id).get("trace_id"), 20, "the job's trace"
    )
    spans = len(stack.ask(f"/api/traces/{trace}")["spans"])
    samples = stack.query("count_over_time(up{job='resume-optimizer-api'}[1h])")
    kill(stack, "watchkeeper")
    revive(stack, eventually)

    def answers():
        try:
            return stack.query("up")
        except httpx2.HTTPError:
            return None

    eventually(answers, 15, "an answering backend")
    assert len(stack.ask(f"/api/traces/{trace}")["spans"]) >= spans
    (after,) = stack.query("count_over_time(up{job='resume-optimizer-api'}[1h])")
    assert int(after["value"][1]) >= int(samples[0]["value"][1])


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
    eventually(lambda: first.said("ended with success"), 90, "the first journey")
    backend = f"http://127.0.0.1:{ports.backend_port}"
    trace = httpx2.get(f"{backend}/api/traces", timeout=10).json()["traces"][0]["trace_id"]
    first.process.kill()
    first.process.wait()
    eventually(lambda: not processes_of(tmp_path), 20, "the end of every process")

    second = Run(tmp_path, ports)
    try:
        eventually(lambda: second.said("ended with success"), 90, "a journey of the second start")
        assert httpx2.get(f"{backend}/api/traces/{trace}", timeout=10).json()["spans"]
    finally:
        second.process.send_signal(signal.SIGINT)
        assert second.process.wait(30) == 0
    assert not processes_of(tmp_path)
