"""Recovery: no job is lost, whatever the queue forgets.

A job that PostgreSQL calls queued or running, that nobody gave a sign of for a while, and that
the queue does not know, is put in again. So a job survives a worker killed in the middle, a
crash between the row and the queue entry, and a Valkey that came back empty.
"""

from __future__ import annotations

import asyncio

from resume_optimizer.database import jobs
from resume_optimizer.failures import Failure
from resume_optimizer.outages import CACHE_DOWN
from resume_optimizer.services import Services
from resume_optimizer.telemetry import JOB_RECOVERED

STALE_SECONDS = 10.0
INTERVAL_SECONDS = 3.0


async def recover(services: Services, *, stale_seconds: float) -> int:
    """Put back what the queue does not know, and return how many jobs that were.

    Raises Failure when PostgreSQL is down, redis' errors when Valkey is.
    """
    with services.untraced():
        silent = await jobs.stale(services.database, stale_seconds)
        absent = await services.queue.absent([job.id for job in silent])
    recovered = 0
    for job in silent:
        if job.id not in absent:
            continue
        with services.telemetry.continued(job.carrier):
            added = await services.queue.add(
                job.id, timeout_seconds=services.settings.limits.job_seconds
            )
            if added:
                services.telemetry.log(JOB_RECOVERED, job_id=str(job.id), status=job.status)
                recovered += 1
    return recovered


async def keep_recovering(services: Services) -> None:
    """Recover every few seconds, for ever; an outage is waited out."""
    while True:
        try:
            await recover(services, stale_seconds=STALE_SECONDS)
        except (Failure, OSError, *CACHE_DOWN):
            pass
        await asyncio.sleep(INTERVAL_SECONDS)
