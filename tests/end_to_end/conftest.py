"""The whole stack, started as `make run` starts it, twenty times quicker, on free ports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import pytest

from resume_optimizer.devstack.claim import claim_ports
from resume_optimizer.devstack.faults import Fault, faults
from resume_optimizer.devstack.launcher import Launcher
from resume_optimizer.devstack.options import Options, Ports
from resume_optimizer.devstack.ports import free_ports
from resume_optimizer.resumes.sample import DOCX, POSTING, read, read_text

PACE = 20.0
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 120.0
SAMPLE_POSTING = {"posting_text": read_text(POSTING)}

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found | None], what: object) -> Found:
    """Return the first truthy answer of `look`; fail with `what` if there is none in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(POLL_SECONDS)
    return pytest.fail(f"not seen within {PATIENCE_SECONDS:g} s: {what}")


def ports() -> Ports:
    """Ports that nobody uses."""
    names = [field.name for field in fields(Ports)]
    return Ports(**dict(zip(names, free_ports(len(names)), strict=True)))


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack and the questions that tests ask it."""

    launcher: Launcher

    @property
    def service(self) -> str:
        return f"http://127.0.0.1:{self.launcher.options.ports.api_port}"

    @property
    def backend(self) -> str:
        return self.launcher.parts.backend_url

    @property
    def inbox(self) -> str:
        return f"http://127.0.0.1:{self.launcher.options.ports.inbox_port}"

    def fault(self, name: str) -> Fault:
        return faults(self.launcher.supervisor, self.launcher.parts.vendor_url)[name]

    def ask(self, path: str, **parameters: Any) -> Any:
        """Return the backend's JSON answer."""
        answer = httpx2.get(f"{self.backend}{path}", params=parameters, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the instant vector of a PromQL expression."""
        return self.ask("/prometheus/api/v1/query", query=expression)["data"]["result"]

    def messages(self) -> list[dict[str, str]]:
        """Return what the inbox received, oldest first."""
        return httpx2.get(f"{self.inbox}/messages", timeout=60).json()

    def person(self, email: str) -> Person:
        """Return somebody who is logged in."""
        client = httpx2.Client(base_url=self.service, timeout=60)
        credentials = {"email": email, "password": "correct horse battery staple"}
        answer = client.post("/api/register", json=credentials)
        if answer.status_code == 409:
            answer = client.post("/api/login", json=credentials)
        answer.raise_for_status()
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        return Person(client)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is logged in and wants a resume improved."""

    client: httpx2.Client

    def upload(self, data: bytes = read(DOCX), name: str = DOCX) -> httpx2.Response:
        """Upload a resume; the sample unless another is given."""
        return self.client.post("/api/resumes", files={"file": (name, data)})

    def ask(self, resume: httpx2.Response, **posting: str) -> httpx2.Response:
        """Ask for a job with an uploaded resume and a posting, the sample's unless given."""
        resume.raise_for_status()
        wanted = {"resume_id": resume.json()["id"], **(posting or SAMPLE_POSTING)}
        return self.client.post("/api/jobs", json=wanted)

    def ask_for_job(self) -> str:
        """Upload the sample resume, ask for a job, and return its id."""
        job = self.ask(self.upload())
        job.raise_for_status()
        return str(job.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as the API shows it."""
        return self.client.get(f"/api/jobs/{job_id}").json()

    def finished_job(self, job_id: str) -> dict[str, Any]:
        """Wait for a job to end and return it."""

        def look() -> dict[str, Any] | None:
            job = self.job(job_id)
            return job if job.get("status") in ("completed", "failed") else None

        return wait_for(look, f"the end of job {job_id}")


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """`eventually(look, what)`: wait for something real to happen."""
    return wait_for


@pytest.fixture(scope="package")
def board() -> Iterator[str]:
    """The address of a job board: /inside leads to a private address, /silent never answers."""
    ended = threading.Event()

    class Board(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/silent":
                ended.wait()
            self.send_response(302)
            self.send_header("location", "http://127.0.0.1:22/")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Board)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    ended.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, board: str) -> Iterator[Stack]:
    """The stack, with the first journey made. It may fetch postings from the board.

    It ends with the last test of this folder: twenty times quicker, it takes most of a core.
    """
    directory = tmp_path_factory.mktemp("stack")
    of_all_processes = set(directory.parents[1].glob("popen-*/stack0"))
    assert of_all_processes <= {directory}, "two processes of a parallel run have a stack each"
    options = Options(directory=directory, ports=ports(), pace=PACE, load_balancer=True)
    listener = claim_ports(options.ports, cut_off=False)
    launcher = Launcher(options, say=lambda line: None)
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("POSTING_ALLOW_PRIVATE", urlsplit(board).netloc)
            launcher.start(listener)
        made = Stack(launcher)
        wait_for(
            lambda: made.query('journey_runs_total{outcome="success"} > 0'),
            "a successful journey",
        )
        yield made
    finally:
        launcher.supervisor.stop()
        listener.close()
