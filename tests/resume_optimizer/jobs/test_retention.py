"""What the probe leaves behind goes away; what people upload stays."""

from __future__ import annotations

from typing import Any

import pytest

from resume_optimizer.failures import Failure
from resume_optimizer.jobs.retention import forget_probes
from resume_optimizer.services import Services

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


async def test_old_files_and_jobs_of_the_probe_go_and_all_others_stay(
    services: Services, newcomer: Any, worker: None
) -> None:
    probe, ada = await newcomer(probe_token="let me in"), await newcomer()
    for person in (probe, ada):
        await person.ended(await person.job())
    probed, kept = await files_of(services, probe), await files_of(services, ada)
    await services.database.row("UPDATE resumes SET created_at = now() - interval '30 h'")
    await probe.resume()

    assert await forget_probes(services) == 1
    assert await forget_probes(services) == 0

    for key in probed:
        with pytest.raises(Failure, match="no longer there"):
            await services.objects.get(key)
    for key in kept:
        assert await services.objects.get(key)
    assert len((await probe.get("/api/resumes")).json()["resumes"]) == 1
    assert (await probe.get("/api/jobs")).json() == {"jobs": []}
    assert len((await ada.get("/api/jobs")).json()["jobs"]) == 1


async def files_of(services: Services, person: Any) -> list[str]:
    user_id = (await person.get("/api/me")).json()["id"]
    row = await services.database.row(
        "SELECT object_key, docx_key, pdf_key FROM resumes JOIN jobs ON resume_id = resumes.id"
        " JOIN results ON job_id = jobs.id WHERE resumes.user_id::text = $1",
        user_id,
    )
    return list(row.values())
