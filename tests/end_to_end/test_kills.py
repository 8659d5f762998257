"""kill -9 of each part, in the middle of its work: nothing that was acknowledged is lost."""

from __future__ import annotations

import signal

import httpx2
import pytest

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]


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

    eventually(all_alive, "every part alive")


def test_a_job_whose_worker_is_killed_ends_once(stack, eventually):
    person = stack.person("killed-worker@resume-optimizer.example")
    slow = stack.fault("llm-slow")
    slow.put_in()
    try:
        job_id = person.ask_for_job()
        eventually(lambda: person.job(job_id)["status"] == "running", "the job under way")
        kill(stack, "worker")
    finally:
        slow.take_out()
    revive(stack, eventually)
    job = person.finished_job(job_id)
    assert job["status"] == "completed"

    def completed_lines():
        query = f"job_id:{job_id}"
        records = stack.ask("/api/logs", query=query, limit=100)["records"]
        return [record for record in records if record["message"] == "Job completed"]

    assert len(eventually(completed_lines, "the line about its end")) == 1


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
    trace = eventually(lambda: stack.ask("/api/find", q=job_id).get("trace_id"), "the job's trace")
    spans = len(stack.ask(f"/api/traces/{trace}")["spans"])
    samples = stack.query("count_over_time(up{job='resume-optimizer-api'}[1h])")
    kill(stack, "watchkeeper")
    revive(stack, eventually)

    def answers():
        try:
            return stack.query("up")
        except httpx2.HTTPError:
            return None

    eventually(answers, "an answering backend")
    assert len(stack.ask(f"/api/traces/{trace}")["spans"]) >= spans
    (after,) = stack.query("count_over_time(up{job='resume-optimizer-api'}[1h])")
    assert int(after["value"][1]) >= int(samples[0]["value"][1])
