"""The work itself: a stored resume and a posting in, two stored documents and a score out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from resume_optimizer.database.attempts import Finished, Work
from resume_optimizer.failures import Failure
from resume_optimizer.jobs.company import UNKNOWN, company_type
from resume_optimizer.llm.provider import Provider
from resume_optimizer.outages import failure_of
from resume_optimizer.resumes.docx_writer import write_docx
from resume_optimizer.resumes.extract import FileType, extract_text
from resume_optimizer.resumes.optimise import LlmCall, Optimisation, optimise, to_json
from resume_optimizer.resumes.pdf_writer import write_pdf
from resume_optimizer.resumes.posting import PostingLimits, fetch_posting
from resume_optimizer.services import Services
from resume_optimizer.telemetry import FEATURE, WRITE_SPAN
from watchkeeper.conventions import files
from watchkeeper.instrument.llm import charged_to


@dataclass(slots=True)
class Notes:
    """What is known of an attempt while it runs, for its books if it fails."""

    company_type: str = UNKNOWN
    calls: Sequence[LlmCall] = field(default_factory=tuple)


class Pipeline:
    """Runs one attempt after the other; holds nothing between them."""

    def __init__(self, services: Services, provider: Provider) -> None:
        self._services = services
        self._telemetry = services.telemetry
        self._provider = provider

    async def run(self, work: Work, notes: Notes) -> Finished:
        """Do the work. Raises Failure, and whatever a fault of the program raises."""
        text = storable(await self._parse(work))
        posting = storable(await self._posting(work))
        notes.company_type = company_type(posting)
        with charged_to(user_type=work.user_type, feature=FEATURE.values[0]):
            optimisation = await optimise(text, posting, self._provider, self._telemetry)
        notes.calls = optimisation.calls
        return await self._store(work, optimisation, notes.company_type)

    async def discard(self, finished: Finished) -> None:
        """Let go of documents that no job holds; what cannot be deleted now stays, unnamed."""
        for key in (finished.docx_key, finished.pdf_key):
            try:
                await self._services.objects.delete(key)
            except Failure:
                return

    async def _parse(self, work: Work) -> str:
        data = await self._services.objects.get(work.object_key)
        labels = {"file_type": work.file_type}
        attributes: dict[str, Any] = {
            "file.type": work.file_type,
            "file.size_bytes": len(data),
        }
        processed = self._telemetry.counter(files.PROCESSED)
        try:
            with (
                self._telemetry.span(files.PROCESSING_SPAN, **attributes) as span,
                self._telemetry.histogram(files.PROCESSING_DURATION).time(**labels),
            ):
                try:
                    text = await extract_text(data, FileType(work.file_type))
                except Failure as failure:
                    span.set_attribute("error.type", failure.code)
                    raise
        except Exception as error:
            refused = failure_of(error) is not None
            processed.inc(**labels, status="rejected" if refused else "failed")
            raise
        processed.inc(**labels, status="success")
        return text

    async def _posting(self, work: Work) -> str:
        if work.posting_text is not None:
            return work.posting_text
        allowed = self._services.settings.posting_allow_private
        return await fetch_posting(
            work.posting_url or "", limits=PostingLimits(allow_private=allowed)
        )

    async def _store(self, work: Work, optimisation: Optimisation, kind: str) -> Finished:
        formats: dict[str, Any] = {"document.formats": ("docx", "pdf")}
        with self._telemetry.span(WRITE_SPAN, **formats):
            docx = await asyncio.to_thread(write_docx, optimisation.resume)
            pdf = await asyncio.to_thread(write_pdf, optimisation.resume)
        folder = f"results/{work.job_id}/{work.number}"
        finished = Finished(
            optimisation=to_json(optimisation),
            score_before=optimisation.score_before,
            score_after=optimisation.score_after,
            company_type=kind,
            docx_key=f"{folder}/resume.docx",
            docx_bytes=len(docx),
            pdf_key=f"{folder}/resume.pdf",
            pdf_bytes=len(pdf),
            calls=optimisation.calls,
        )
        await self._services.objects.put(finished.docx_key, docx)
        await self._services.objects.put(finished.pdf_key, pdf)
        return finished


def storable(text: str) -> str:
    """Return text without what PostgreSQL cannot keep: NUL and lone surrogates."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")
