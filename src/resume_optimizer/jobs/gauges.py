"""The worker's gauges: what PostgreSQL says about all jobs, every few seconds."""

from __future__ import annotations

import asyncio

from resume_optimizer.database import statistics
from resume_optimizer.failures import Failure
from resume_optimizer.outages import CACHE_DOWN
from resume_optimizer.services import Services
from resume_optimizer.telemetry import SUCCESS_RATE
from watchkeeper.conventions import jobs, objects

INTERVAL_SECONDS = 2.0
SUCCESS_WINDOW_SECONDS = 3600.0
CHARGE_SECONDS = 60.0

USD_PER_GIGABYTE_MONTH = 0.023
"""Amazon S3 Standard, first 50 TB, us-east-1 (aws.amazon.com/s3/pricing)."""
GIGABYTE = 1024**3
MONTH_SECONDS = 30.4375 * 86400


async def follow(services: Services) -> None:
    """Set the gauges every few seconds, for ever; during an outage they keep their values."""
    while True:
        for refresh in (refresh_jobs, charge_storage):
            try:
                with services.untraced():
                    await refresh(services)
            except (Failure, OSError, *CACHE_DOWN):
                continue
        await asyncio.sleep(INTERVAL_SECONDS)


async def refresh_jobs(services: Services) -> None:
    """Set how many jobs are under way, and the share that succeeded."""
    active = services.telemetry.gauge(jobs.ACTIVE)
    for status, count in (await statistics.active_jobs(services.database)).items():
        active.set(count, status=status)
    recent = await statistics.recent_jobs(services.database, SUCCESS_WINDOW_SECONDS)
    if recent.rate is not None:
        services.telemetry.gauge(SUCCESS_RATE).set(recent.rate)


async def charge_storage(services: Services) -> None:
    """Count what the bytes that are kept have cost since they were last paid for."""
    use = await statistics.charge_storage(services.database, CHARGE_SECONDS)
    if use is not None:
        services.telemetry.counter(objects.STORAGE_COST).inc(
            storage_cost_usd(use.kept_bytes, use.unpaid_seconds), storage_type="objects"
        )


def storage_cost_usd(kept_bytes: int, seconds: float) -> float:
    """Return what keeping so many bytes for so long costs, in US dollars."""
    return kept_bytes / GIGABYTE * seconds / MONTH_SECONDS * USD_PER_GIGABYTE_MONTH
