"""Jobs that end badly, end once, or come back: worked on by a real worker."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from fpdf import FPDF

from resume_optimizer.database import attempts, jobs
from resume_optimizer.database.attempts import Finished
from resume_optimizer.jobs import attempt
from resume_optimizer.jobs.recovery import recover
from resume_optimizer.llm.offline import OfflineProvider
from resume_optimizer.llm.provider import Completion, CompletionRequest, ProviderFailure, Usage
from resume_optimizer.resumes.posting import PostingLimits
from resume_optimizer.services import Services
from resume_optimizer.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

MEGABYTE = 1024 * 1024


@pytest.fixture
def settings(settings: Settings, board: Any) -> Settings:
    """The board may be fetched from."""
    return replace(settings, posting_allow_private=(board.url.removeprefix("http://"),))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once."""
    monkeypatch.setattr("resume_optimizer.jobs.queue.RETRY_DELAY_SECONDS", 0.0)


class Model:
    """A language model that fails the first `times` times."""

    name = "unreliable"
    model = "model-1"

    def __init__(self, failure: ProviderFailure | str, times: int) -> None:
        self._failure = failure
        self._times = times
        self._reliable = OfflineProvider()

    async def complete(self, request: CompletionRequest) -> Completion:
        self._times -= 1
        if self._times < 0:
            return await self._reliable.complete(request)
        if isinstance(self._failure, str):
            return Completion(self._failure, Usage(input_tokens=9, output_tokens=3), self.model)
        raise self._failure

    async def close(self) -> None: ...


def protected_pdf() -> bytes:
    document = FPDF()
    document.add_page()
    document.set_font("Helvetica")
    document.cell(text="secret")
    document.set_encryption(owner_password="owner", user_password="user")
    return bytes(document.output())


def scanned_pdf() -> bytes:
    document = FPDF()
    document.add_page()
    document.rect(20, 20, 100, 100, style="F")
    return bytes(document.output())


def zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b" " * (200 * MEGABYTE))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "codes"),
    [
        (protected_pdf(), {"file_password_protected"}),
        (scanned_pdf(), {"file_scanned", "file_empty"}),
        (b"%PDF-1.7\n1 0 obj\n<< /Type", {"file_damaged"}),
        (zip_bomb(), {"file_expands_too_much"}),
    ],
    ids=["protected", "scanned", "truncated", "bomb"],
)
async def test_a_file_that_cannot_be_read_ends_the_job_with_its_code(
    person: Any, worker: None, measured: Any, data: bytes, codes: set[str]
) -> None:
    job = await person.ended(await person.job(await person.resume(data, "resume.pdf")))

    assert job["status"] == "failed"
    assert job["error"]["code"] in codes
    assert job["error"]["trace_id"] == job["trace_id"]
    assert job["attempts"] == 1
    answer = await person.get(f"/api/jobs/{job['id']}/result")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, job["error"]["code"])
    file_type = "docx" if "file_expands_too_much" in codes else "pdf"
    assert measured("files_processed_total", file_type=file_type, status="rejected") == 1
    assert measured("completed_jobs_total", status="rejected") == 1
    assert measured("completed_jobs_total", status="failed") == 0
    assert measured("resume_optimizations_total", status="rejected", company_type="unknown") == 1


async def test_a_posting_that_redirects_into_a_private_network_is_refused(
    person: Any, worker: None, board: Any
) -> None:
    job = await person.ended(await person.job(posting_url=f"{board.url}/inside"))

    assert job["error"]["code"] == "posting_url_private"


async def test_a_posting_that_never_comes_ends_the_job(
    person: Any, worker: None, board: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = partial(PostingLimits, total_seconds=0.2)
    monkeypatch.setattr("resume_optimizer.jobs.pipeline.PostingLimits", short)
    board.answers.clear()

    job = await person.ended(await person.job(posting_url=f"{board.url}/posting"))

    assert (job["error"]["code"], job["attempts"]) == ("posting_timeout", 1)


async def test_a_posting_is_fetched(person: Any, worker: None, board: Any) -> None:
    job = await person.ended(await person.job(posting_url=f"{board.url}/posting"))

    assert job["status"] == "completed"


@pytest.mark.parametrize(
    ("failure", "code", "outcome"),
    [
        (ProviderFailure("timeout", "too slow"), "llm_timeout", "timeout"),
        (ProviderFailure("rate_limited", "too much"), "llm_rate_limited", "rate_limited"),
        (ProviderFailure("error", "broken"), "llm_unavailable", "error"),
        ("I would rather talk about the weather.", "llm_invalid_answer", "invalid_answer"),
    ],
)
async def test_a_model_that_keeps_failing_ends_the_job_with_its_code(
    services: Services,
    person: Any,
    measured: Any,
    working: Any,
    failure: ProviderFailure | str,
    code: str,
    outcome: str,
) -> None:
    async with working(services, Model(failure, times=1000)):
        job = await person.ended(await person.job())

    assert (job["status"], job["error"]["code"]) == ("failed", code)
    assert job["attempts"] == services.settings.limits.job_attempts
    assert measured("job_attempts_total", outcome="retry") == job["attempts"] - 1
    assert measured("job_attempts_total", outcome="failed") == 1
    assert measured("llm_requests_total", provider="unreliable", outcome=outcome) > 0
    kept = await services.database.value(
        "SELECT count(*) FROM llm_calls WHERE outcome = $1", outcome
    )
    assert kept == measured("llm_requests_total", provider="unreliable", outcome=outcome)


async def test_a_model_that_recovers_lets_the_job_end_well(
    services: Services, person: Any, measured: Any, working: Any
) -> None:
    async with working(services, Model(ProviderFailure("error", "broken"), times=2)):
        job = await person.ended(await person.job())

    assert job["status"] == "completed"
    assert measured("completed_jobs_total", status="completed") == 1
    assert measured("completed_jobs_total", status="failed") == 0


async def test_text_that_postgresql_cannot_keep_is_kept_without_it(
    person: Any, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def extract(*_: Any) -> str:
        return "Ada\x00 Lovelace\nSummary\nBuilds \ud800 engines in Python"

    monkeypatch.setattr("resume_optimizer.jobs.pipeline.extract_text", extract)

    job = await person.ended(await person.job())

    assert job["status"] == "completed"


async def test_a_fault_of_the_program_ends_the_job_without_showing_it(
    person: Any, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret is 1234")

    monkeypatch.setattr("resume_optimizer.jobs.pipeline.optimise", broken)

    job = await person.ended(await person.job())

    assert job["error"]["code"] == "internal_error"
    assert "1234" not in str(job)


async def test_a_job_that_takes_too_long_is_given_up(
    settings: Settings,
    services: Services,
    person: Any,
    working: Any,
    board: Any,
) -> None:
    limits = replace(settings.limits, job_seconds=0.3, job_attempts=2)
    hurried = replace(services, settings=replace(settings, limits=limits))
    board.answers.clear()
    async with working(hurried):
        job = await person.ended(await person.job(posting_url=f"{board.url}/posting"))

    assert (job["error"]["code"], job["attempts"]) == ("job_timeout", 2)


async def test_a_job_that_the_queue_forgot_is_put_back(
    services: Services, person: Any, working: Any
) -> None:
    job_id = await person.job()
    await services.cache.delete(*await services.cache.keys("saq:*"))

    assert await recover(services, stale_seconds=0) == 1
    assert await recover(services, stale_seconds=0) == 0

    async with working(services):
        assert (await person.ended(job_id))["status"] == "completed"


async def test_a_job_whose_entry_was_never_made_is_put_in(
    services: Services, person: Any, working: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: Any, **__: Any) -> None:
        raise ConnectionError("Valkey went away")

    with monkeypatch.context() as away:
        away.setattr("resume_optimizer.jobs.queue.JobQueue.add", gone)
        job_id = await person.job()

    assert await recover(services, stale_seconds=0) == 1
    async with working(services):
        job = await person.ended(job_id)
    assert job["status"] == "completed"


async def test_two_workers_at_one_job_end_it_once(services: Services, person: Any) -> None:
    job_id = await person.job()
    (job,) = await jobs.stale(services.database, -60)
    slow = await attempts.begin(services.database, job.id)
    quick = await attempts.begin(services.database, job.id)
    assert slow
    assert quick
    finished = Finished(
        optimisation="{}",
        score_before=1,
        score_after=2,
        company_type="startup",
        docx_key="a",
        docx_bytes=1,
        pdf_key="b",
        pdf_bytes=1,
    )

    first = await attempts.complete(services.database, quick, finished)
    second = await attempts.complete(services.database, slow, replace(finished, score_after=3))
    third = await attempts.fail(services.database, slow, "job_timeout", "")

    assert first is not None
    assert second is None
    assert third is None
    assert (await person.get(f"/api/jobs/{job_id}")).json()["score_after"] == 2
    assert await attempts.begin(services.database, job.id) is None


async def test_a_job_that_kills_its_workers_is_given_up(
    services: Services, person: Any, working: Any
) -> None:
    job_id = await person.job()
    (job,) = await jobs.stale(services.database, -60)
    for _ in range(services.settings.limits.job_attempts):
        await attempts.begin(services.database, job.id)

    async with working(services):
        ended = await person.ended(job_id)

    assert ended["error"]["code"] == "job_attempts_exhausted"


async def test_our_own_outages_are_waited_for_and_the_model_is_not() -> None:
    settings = Settings.from_environment(
        {
            "DATABASE_URL": "x",
            "CACHE_URL": "x",
            "OBJECTS_ENDPOINT": "http://x",
            "OBJECTS_ACCESS_KEY": "x",
            "OBJECTS_SECRET_KEY": "x",
        }
    )
    work = attempts.Work(
        job_id=None,  # type: ignore[arg-type] # not looked at
        number=50,
        lost=0,
        age_seconds=600,
        file_type="pdf",
        object_key="",
        posting_text="",
        posting_url=None,
        user_type="free",
    )

    def gives_up(code: str, age_seconds: float = 600) -> bool:
        aged = replace(work, age_seconds=age_seconds)
        return attempt.gives_up(attempt.Failure(code), aged, settings.limits)

    assert not gives_up("database_unavailable")
    assert not gives_up("objects_unavailable")
    assert gives_up("objects_unavailable", age_seconds=7200)
    assert gives_up("llm_timeout")
    assert gives_up("file_damaged")


class PricedModel(Model):
    """A model whose price is known: $0.15 a million tokens in, $0.60 out."""

    name = "openai"
    model = "gpt-4o-mini"

    def __init__(self) -> None:
        super().__init__("", times=0)

    async def complete(self, request: CompletionRequest) -> Completion:
        completion = await super().complete(request)
        return replace(completion, usage=Usage(input_tokens=1_000_000, output_tokens=0), model="")


async def test_a_call_is_charged_to_the_kind_of_user_and_the_feature(
    person: Any, services: Services, working: Any, measured: Any
) -> None:
    async with working(services, PricedModel()):
        await person.ended(await person.job())

    charged = {"user_type": "free", "feature": "optimize_resume"}
    assert measured("llm_cost_usd_total", **charged) == pytest.approx(0.15)
    assert measured("llm_cost_usd_total", user_type="other") == 0
