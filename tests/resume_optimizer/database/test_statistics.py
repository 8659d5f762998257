"""What the metrics say about all jobs, as PostgreSQL counts it."""

from __future__ import annotations

from typing import Any

import pytest

from resume_optimizer.database import jobs, statistics
from resume_optimizer.database.attempts import begin, fail
from resume_optimizer.jobs.gauges import MONTH_SECONDS, refresh_jobs, storage_cost_usd
from resume_optimizer.services import Services

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


async def fails(services: Services, index: int = 0) -> None:
    found = await jobs.stale(services.database, -60)
    work = await begin(services.database, found[index].id)
    assert work
    await fail(services.database, work, "file_damaged", "broken")


async def test_jobs_under_way_are_counted_by_status(services: Services, person: Any) -> None:
    resume_id = await person.resume()
    for _ in range(3):
        await person.job(resume_id)
    (first, *_) = await jobs.stale(services.database, -60)
    await begin(services.database, first.id)

    assert await statistics.active_jobs(services.database) == {"queued": 2, "running": 1}


async def test_the_success_rate_is_that_of_the_last_hour(
    services: Services, person: Any, measured: Any
) -> None:
    resume_id = await person.resume()
    for _ in range(2):
        await person.job(resume_id)
        await fails(services)
    await services.database.row(
        "UPDATE jobs SET status = 'completed' WHERE id = (SELECT min(id::text)::uuid FROM jobs)"
    )

    await refresh_jobs(services)

    assert measured("optimization_success_rate") == 0.5
    assert measured("active_jobs_total", status="queued") == 0


async def test_without_jobs_there_is_no_rate(services: Services) -> None:
    assert (await statistics.recent_jobs(services.database, 3600)).rate is None


async def test_storage_is_paid_for_once_whoever_asks(services: Services, person: Any) -> None:
    await person.resume(b"x y " * 250)
    await services.database.row(
        "UPDATE storage_charges SET charged_until = now() - interval '100 s'"
    )

    use = await statistics.charge_storage(services.database, 60)
    again = await statistics.charge_storage(services.database, 60)

    assert use is not None
    assert use.kept_bytes == 1000
    assert 100 <= use.unpaid_seconds < 160
    assert again is None


def test_a_gigabyte_for_a_month_costs_what_the_price_list_says() -> None:
    assert storage_cost_usd(1024**3, MONTH_SECONDS) == pytest.approx(0.023)
