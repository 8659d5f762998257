"""The journey of somebody who has a resume improved: log in, upload, ask, wait, download.

The synthetic probe makes it every minute, and `make run TRAFFIC=20` makes it more often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from resume_optimizer.resumes.sample import read, read_text
from watchkeeper.instrument.journey import Journey, Step

NAME = "optimize_resume"
CALL_TIMEOUT_SECONDS = 15.0
JOB_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.25


class JourneyError(Exception):
    """A step did not do what it should; the message says what came instead."""


@dataclass(slots=True)
class Applicant:
    """A synthetic user on their way: what one step learns, the next one needs.

    `carrier` returns the headers that make the service's spans children of the step's.
    """

    client: httpx2.AsyncClient
    email: str
    password: str
    resume_name: str
    posting_name: str
    carrier: Callable[[], Mapping[str, str]] = dict
    probe_token: str = ""
    registered: bool = False
    session: str = ""
    resume_id: str = ""
    job_id: str = ""

    async def sign_in(self) -> None:
        """Register the first time, or find the account already there, and log in."""
        credentials = {"email": self.email, "password": self.password}
        if not self.registered:
            await self._call(
                "POST",
                "/api/register",
                json=credentials,
                headers={"probe-token": self.probe_token},
                accepted=(201, 409),
            )
            self.registered = True
        answer = await self._call("POST", "/api/login", json=credentials)
        self.session = answer.json()["token"]

    async def upload(self) -> None:
        """Upload the sample resume."""
        files = {"file": (self.resume_name, read(self.resume_name))}
        answer = await self._call("POST", "/api/resumes", files=files, accepted=(201,))
        self.resume_id = answer.json()["id"]

    async def request(self) -> None:
        """Ask for the resume to be optimised for the sample posting."""
        wanted = {"resume_id": self.resume_id, "posting_text": read_text(self.posting_name)}
        answer = await self._call("POST", "/api/jobs", json=wanted, accepted=(202,))
        self.job_id = answer.json()["id"]

    async def wait(self) -> None:
        """Wait until the job has ended well."""
        async with asyncio.timeout(JOB_TIMEOUT_SECONDS):
            while True:
                job = (await self._call("GET", f"/api/jobs/{self.job_id}")).json()
                if job["status"] == "completed":
                    return
                if job["status"] == "failed":
                    raise JourneyError(f"the job failed with {job['error']['code']}")
                await asyncio.sleep(POLL_SECONDS)

    async def download(self) -> None:
        """Download the result as PDF and look whether it is one."""
        answer = await self._call("GET", f"/api/jobs/{self.job_id}/resume.pdf")
        if not answer.content.startswith(b"%PDF-"):
            raise JourneyError("the download is not a PDF")

    async def _call(
        self, method: str, path: str, accepted: tuple[int, ...] = (200,), **request: Any
    ) -> httpx2.Response:
        headers = {**request.pop("headers", {}), **self.carrier()}
        if self.session:
            headers["authorization"] = f"Bearer {self.session}"
        answer = await self.client.request(method, path, headers=headers, **request)
        if answer.status_code not in accepted:
            raise JourneyError(f"{method} {path} answered {answer.status_code}{_code(answer)}")
        return answer


def _code(answer: httpx2.Response) -> str:
    try:
        return f" ({answer.json()['error']['code']})"
    except (ValueError, KeyError, TypeError):
        return ""


def _step(name: str) -> Step:
    async def act(applicant: Applicant) -> None:
        await getattr(applicant, name)()

    return Step(name, act)


JOURNEY = Journey(
    NAME, steps=tuple(_step(name) for name in ("sign_in", "upload", "request", "wait", "download"))
)
