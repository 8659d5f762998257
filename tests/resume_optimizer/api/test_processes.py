"""The API as processes behind one socket: what one began, another goes on with."""

from __future__ import annotations

import socket
from typing import Any

import httpx2
import pytest

from resume_optimizer.devstack.servers import RunningServers
from resume_optimizer.resumes import sample
from resume_optimizer.services import Services

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

CREDENTIALS = {"email": "ada@example.org", "password": "correct horse battery"}


async def test_a_killed_process_takes_nothing_with_it(
    services: Services, servers: RunningServers, process: Any
) -> None:
    environment = {**servers.environment, "WATCHKEEPER_LOG": "off"}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        arguments = ("resume_optimizer.api", environment, "--fd", str(number))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with (
            process(*arguments, fd=number) as first,
            httpx2.AsyncClient(base_url=url, timeout=60.0) as client,
        ):
            token = (await client.post("/api/register", json=CREDENTIALS)).json()["token"]
            who = {"authorization": f"Bearer {token}"}
            files = {"file": ("resume.txt", sample.read(sample.RESUME))}
            resume = (await client.post("/api/resumes", files=files, headers=who)).json()
            first.kill()
            await first.wait()
        async with (
            process(*arguments, fd=number),
            httpx2.AsyncClient(base_url=url, timeout=60.0, headers=who) as client,
        ):
            found = (await client.get("/api/resumes")).json()["resumes"]
            wanted = {"resume_id": resume["id"], "posting_text": sample.read_text(sample.POSTING)}
            job = await client.post("/api/jobs", json=wanted)

    assert [each["id"] for each in found] == [resume["id"]]
    assert job.status_code == 202
