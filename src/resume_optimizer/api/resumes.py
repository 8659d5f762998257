"""Resumes: uploaded, told apart by their bytes, and kept in the file store."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import PurePosixPath
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from resume_optimizer.api import forms
from resume_optimizer.api.caller import Caller, SignedIn, session_of
from resume_optimizer.database import resumes
from resume_optimizer.database.resumes import NewResume, Resume
from resume_optimizer.failures import Failure
from resume_optimizer.resumes.extract import FileType, detect
from resume_optimizer.telemetry import RESUME_UPLOADED
from watchkeeper.conventions import files

LONGEST_FILENAME = 200

router = APIRouter()


async def keep(calling: Caller, form: FormData) -> Resume:
    """Keep the file of a form's field `file`.

    Raises Failure `file_missing`, `file_too_large`, `file_type_unsupported`.
    """
    upload = form.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise Failure("file_missing")
    data = await upload.read()
    filename = plain_filename(upload.filename)
    file_type = _accept(calling, data, filename)
    return await _keep(calling, data, filename, file_type)


def plain_filename(name: str) -> str:
    """Return a file's name without folders and without what cannot be shown."""
    last = PurePosixPath(name.replace("\\", "/")).name
    shown = "".join(character for character in last if character.isprintable())
    return shown[-LONGEST_FILENAME:] or "resume"


@router.post("/api/resumes", status_code=201)
async def post_resume(request: Request, calling: SignedIn) -> dict[str, Any]:
    """Upload a resume as multipart form data, field `file`."""
    async with forms.read(request, files=1) as form:
        return describe(await keep(calling, form))


@router.get("/api/resumes")
async def get_resumes(calling: SignedIn) -> dict[str, Any]:
    """List the resumes of whoever is logged in, newest first."""
    found = await resumes.of_user(calling.api.services.database, session_of(calling).user_id)
    return {"resumes": [describe(resume) for resume in found]}


def describe(resume: Resume) -> dict[str, Any]:
    """Return a resume as JSON shows it."""
    return {
        "id": str(resume.id),
        "filename": resume.filename,
        "file_type": resume.file_type,
        "size_bytes": resume.size_bytes,
        "created_at": resume.created_at.isoformat(),
    }


def _accept(calling: Caller, data: bytes, filename: str) -> FileType:
    services = calling.api.services
    services.telemetry.histogram(files.UPLOAD_SIZE).observe(len(data))
    try:
        if len(data) > services.settings.limits.upload_bytes:
            raise Failure("file_too_large")
        return detect(data, filename)
    except Failure:
        services.telemetry.counter(files.PROCESSED).inc(file_type="other", status="rejected")
        raise


async def _keep(calling: Caller, data: bytes, filename: str, file_type: FileType) -> Resume:
    services = calling.api.services
    user_id = session_of(calling).user_id
    key = f"resumes/{user_id}/{secrets.token_hex(16)}.{file_type.value}"
    await services.objects.put(key, data)
    try:
        resume = await resumes.create(
            services.database,
            NewResume(
                user_id=user_id,
                filename=filename,
                file_type=file_type.value,
                size_bytes=len(data),
                object_key=key,
            ),
        )
    except Failure:
        with contextlib.suppress(Failure):
            await services.objects.delete(key)
        raise
    services.telemetry.log(
        RESUME_UPLOADED,
        resume_id=str(resume.id),
        user_id=str(user_id),
        file_type=file_type.value,
        size_bytes=len(data),
    )
    return resume
