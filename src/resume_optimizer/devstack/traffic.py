"""More journeys: several people at once, each with another resume and posting.

`python -m resume_optimizer.devstack.traffic --service http://127.0.0.1:8000 --per-minute 20`
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys

import httpx2

from resume_optimizer.journey import CALL_TIMEOUT_SECONDS, Applicant, JourneyError
from resume_optimizer.resumes.sample import POSTINGS, RESUMES

PEOPLE = 5


async def travel(applicant: Applicant) -> None:
    """Make one journey; what goes wrong is the service's to notice and ours to say."""
    try:
        await applicant.sign_in()
        await applicant.upload()
        await applicant.request()
        await applicant.wait()
        await applicant.download()
    except (JourneyError, httpx2.HTTPError, TimeoutError) as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")


async def traffic(service: str, per_minute: int) -> None:
    """Begin `per_minute` journeys a minute, evenly, until cancelled."""
    token = os.environ.get("PROBE_TOKEN", "")
    choices = itertools.cycle(itertools.product(RESUMES, POSTINGS))
    async with httpx2.AsyncClient(base_url=service, timeout=CALL_TIMEOUT_SECONDS) as client:
        under_way: set[asyncio.Task[None]] = set()
        for number, (resume, posting) in enumerate(choices):
            email = f"person{number % PEOPLE}@resume-optimizer.example"
            applicant = Applicant(client, email, token, resume, posting, probe_token=token)
            applicant.registered = number >= PEOPLE
            journey = asyncio.create_task(travel(applicant))
            under_way.add(journey)
            journey.add_done_callback(under_way.discard)
            await asyncio.sleep(60 / per_minute)


def main() -> None:
    """Read the command line and begin."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", required=True)
    parser.add_argument("--per-minute", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(traffic(options.service, options.per_minute))


if __name__ == "__main__":
    main()
