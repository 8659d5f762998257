"""The whole journey against the real servers: register, upload, job, result, download."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


async def test_a_resume_goes_up_and_comes_back_better(person: Any, worker: None) -> None:
    job_id = await person.job()

    job = await person.ended(job_id)

    assert job["status"] == "completed", job
    assert job["score_after"] >= job["score_before"]
    result = (await person.get(f"/api/jobs/{job_id}/result")).json()
    assert result["optimisation"]["changes"]
    for kind, magic in (("docx", b"PK"), ("pdf", b"%PDF")):
        document = await person.get(result["documents"][kind])
        assert document.status_code == 200
        assert document.content.startswith(magic)
