"""Downloads: the optimised resume as DOCX and as PDF."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from resume_optimizer.api.caller import SignedIn
from resume_optimizer.api.jobs import find, result_of

MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}

router = APIRouter()


@router.get("/api/jobs/{job_id}/resume.{kind}")
async def get_document(calling: SignedIn, job_id: UUID, kind: Literal["docx", "pdf"]) -> Response:
    """Download a finished job's document."""
    job = await find(calling, job_id)
    result = await result_of(calling, job)
    data = await calling.api.services.objects.get(
        result.docx_key if kind == "docx" else result.pdf_key
    )
    name = quote(f"{PurePath(job.filename).stem}-optimised.{kind}")
    return Response(
        data,
        media_type=MEDIA_TYPES[kind],
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{name}",
            "cache-control": "private, no-store",
        },
    )
