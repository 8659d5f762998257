"""The pages: what a person sees and sends with a browser, without a script."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from resume_optimizer.api import forms, jobs, resumes
from resume_optimizer.api.caller import AnyCaller, Caller, SignedIn, session_of
from resume_optimizer.api.comparison import compare
from resume_optimizer.api.site import Site
from resume_optimizer.database import jobs as kept_jobs
from resume_optimizer.database import resumes as kept_resumes
from resume_optimizer.failures import Failure
from resume_optimizer.resumes.optimise import from_json

RECENT = 5

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request, calling: AnyCaller) -> Response:
    """Show what this is; somebody who is logged in sees the form."""
    if calling.session is None:
        return _site(request).page(request, "welcome.html", None)
    return await _optimise_page(request, calling)


@router.post("/optimise")
async def optimise(request: Request, calling: SignedIn) -> Response:
    """Take a resume and a posting, and go to the job."""
    async with forms.read_own(request, calling.session, files=1) as form:
        try:
            job_id = await _ask(calling, form)
        except Failure as failure:
            return await _optimise_page(request, calling, failure, form)
    return RedirectResponse(f"/jobs/{job_id}", status_code=303)


@router.get("/jobs")
async def job_list(request: Request, calling: SignedIn) -> Response:
    """Show the jobs, newest first."""
    session = session_of(calling)
    found = await kept_jobs.of_user(calling.api.services.database, session.user_id)
    return _site(request).page(request, "jobs.html", session, jobs=found)


@router.get("/jobs/{job_id}")
async def job_page(request: Request, calling: SignedIn, job_id: UUID) -> Response:
    """Show one job: how far it is, or what came of it."""
    job = await jobs.find(calling, job_id)
    values: dict[str, Any] = {"job": job, "result": None, "comparison": None, "reason": None}
    if job.status == "completed":
        stored = await jobs.result_of(calling, job)
        values["result"] = from_json(stored.optimisation)
        values["comparison"] = await asyncio.to_thread(compare, values["result"])
    elif job.status == "failed":
        values["reason"] = jobs.failure_of_job(job)
    return _site(request).page(request, "job.html", calling.session, **values)


async def _optimise_page(
    request: Request,
    calling: Caller,
    failure: Failure | None = None,
    form: FormData | None = None,
) -> Response:
    session = session_of(calling)
    database = calling.api.services.database
    return _site(request).form_again(
        request,
        "optimise.html",
        session,
        failure,
        resumes=await kept_resumes.of_user(database, session.user_id, limit=RECENT),
        jobs=await kept_jobs.of_user(database, session.user_id, limit=RECENT),
        posting_text=forms.text(form, "posting_text"),
        posting_url=forms.text(form, "posting_url"),
    )


async def _ask(calling: Caller, form: FormData) -> UUID:
    text, url = forms.text(form, "posting_text"), forms.text(form, "posting_url")
    await jobs.check_posting(calling, text, url)
    known = forms.text(form, "resume_id")
    try:
        resume_id = UUID(known) if known else (await resumes.keep(calling, form)).id
    except ValueError:
        raise Failure("resume_not_found") from None
    wanted = jobs.JobRequest(resume_id=resume_id, posting_text=text, posting_url=url)
    return (await jobs.ask(calling, wanted)).id


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site
