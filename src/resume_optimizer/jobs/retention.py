"""Retention: what the synthetic probe leaves behind is not kept for ever.

A probe that uploads a resume every minute would fill the file store. What people upload stays.
"""

from __future__ import annotations

import asyncio

from resume_optimizer.database import resumes
from resume_optimizer.failures import Failure
from resume_optimizer.services import Services

INTERVAL_SECONDS = 300.0
PROBE = "probe"


async def forget_probes(services: Services) -> int:
    """Delete the probe's resumes that are old, files first, and return how many they were.

    Raises Failure when a dependency is down; what is left is found the next time.
    """
    seconds = services.settings.limits.probe_kept_hours * 3600
    old = await resumes.expired(services.database, PROBE, seconds)
    for resume in old:
        for key in resume.object_keys:
            await services.objects.delete(key)
        await resumes.forget(services.database, resume.id)
    return len(old)


async def keep_forgetting(services: Services) -> None:
    """Forget every few minutes, for ever; an outage is waited out."""
    while True:
        try:
            with services.untraced():
                while await forget_probes(services):
                    pass
        except Failure:
            pass
        await asyncio.sleep(INTERVAL_SECONDS)
