"""Bad input, one case a line: a stable code, the right status, a trace, and a metric that moved.

Then the bad days: a full queue, a model that answers nonsense, a dependency that is down. They
are told plainly too, and nothing is lost.
"""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import asyncpg
import fpdf
import httpx2
import pypdf
import pypdfium2
import pytest

from resume_optimizer.resumes.sample import PDF, read

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]

MEGABYTE = 1024 * 1024
REJECTED_PDF = 'files_processed_total{file_type="pdf",status="rejected"}'
REJECTED_DOCX = 'files_processed_total{file_type="docx",status="rejected"}'
REJECTED_JOBS = 'completed_jobs_total{status="rejected"}'
REFUSED_JOBS = 'http_requests_total{endpoint="/api/jobs",status_code="422"}'
TOO_LARGE = 'http_requests_total{status_code="413"}'
UNAVAILABLE = 'http_requests_total{status_code="503"}'
ENOUGH_TO_FILL_THE_QUEUE = 100


def protected_pdf() -> bytes:
    writer = pypdf.PdfWriter(clone_from=BytesIO(read(PDF)))
    writer.encrypt("a secret", algorithm="AES-256")
    body = BytesIO()
    writer.write(body)
    return body.getvalue()


def pdf_of(picture: Any = None) -> bytes:
    document = fpdf.FPDF()
    document.add_page()
    if picture is not None:
        document.image(picture, w=180)
    return bytes(document.output())


def scanned_pdf() -> bytes:
    return pdf_of(pypdfium2.PdfDocument(read(PDF))[0].render(scale=0.5).to_pil())


def truncated_pdf() -> bytes:
    return read(PDF)[:-3000]


def zip_bomb() -> bytes:
    body = BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", b"")
        archive.writestr("word/document.xml", bytes(200 * MEGABYTE))
    return body.getvalue()


@dataclass(frozen=True)
class Hostile:
    """Somebody with bad intentions, a job board to point at, and what they may do."""

    person: Any
    board: str

    def upload(self, data: bytes) -> httpx2.Response:
        return self.person.upload(data, "resume.docx")

    def work_on(self, data: bytes) -> httpx2.Response:
        """Upload a file, ask for a job, and return the answer of its result."""
        return self._result(self.person.ask(self.upload(data)))

    def point_at(self, url: str) -> httpx2.Response:
        """Ask for a job with the posting at a URL; return what refused it, at once or later."""
        asked = self.person.ask(self.person.upload(), posting_url=url)
        return self._result(asked) if asked.is_success else asked

    def guess_passwords(self) -> httpx2.Response:
        wrong = {"email": "victim@resume-optimizer.example", "password": "not the right one"}
        answers = [self.person.client.post("/api/login", json=wrong) for _ in range(12)]
        assert answers[0].json()["error"]["code"] == "credentials_wrong"
        return answers[-1]

    def _result(self, asked: httpx2.Response) -> httpx2.Response:
        asked.raise_for_status()
        self.person.finished_job(asked.json()["id"])
        return self.person.client.get(f"/api/jobs/{asked.json()['id']}/result")


Act = Callable[[Hostile], httpx2.Response]
CASES: dict[str, tuple[Act, int, str, str]] = {
    "protected PDF": (
        lambda they: they.work_on(protected_pdf()), 422, "file_password_protected", REJECTED_PDF
    ),
    "empty PDF": (lambda they: they.work_on(pdf_of()), 422, "file_empty", REJECTED_PDF),
    "scanned PDF": (lambda they: they.work_on(scanned_pdf()), 422, "file_scanned", REJECTED_PDF),
    "truncated PDF": (
        lambda they: they.work_on(truncated_pdf()), 422, "file_damaged", REJECTED_PDF
    ),
    "zip bomb": (
        lambda they: they.work_on(zip_bomb()), 422, "file_expands_too_much", REJECTED_DOCX
    ),
    "endless text": (
        lambda they: they.work_on(b"word " * 50_000), 422, "file_too_long", REJECTED_JOBS
    ),
    "11 MB": (lambda they: they.upload(bytes(11 * MEGABYTE)), 413, "file_too_large", TOO_LARGE),
    "private URL": (
        lambda they: they.point_at("http://127.0.0.1:9400/"),
        422, "posting_url_private", REFUSED_JOBS,
    ),
    "redirect to a private URL": (
        lambda they: they.point_at(f"{they.board}/inside"),
        422, "posting_url_private", REJECTED_JOBS,
    ),
    "URL that never answers": (
        lambda they: they.point_at(f"{they.board}/silent"), 422, "posting_timeout", REJECTED_JOBS
    ),
    "wrong passwords": (
        Hostile.guess_passwords,
        429, "too_many_attempts", 'user_login_failures_total{reason="rate_limited"}',
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def person(stack):
    return stack.person("hostile@resume-optimizer.example")


@pytest.fixture(scope="module")
def moves(stack, eventually):
    """`moved = moves(metric)` before and `moved()` after: wait until the metric has moved."""

    def value(metric: str) -> float:
        found = stack.query(f"sum({metric})")
        return float(found[0]["value"][1]) if found else 0.0

    def moves(metric: str) -> Callable[[], object]:
        before = value(metric)
        return lambda: eventually(lambda: value(metric) > before, f"{metric} above {before}")

    return moves


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """Return status and code, once the answer has the one shape that all refusals have."""
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "trace_id"}
    assert len(error["trace_id"]) == 32
    assert error["trace_id"] == answer.headers["trace-id"]
    assert "Traceback" not in answer.text
    return answer.status_code, error["code"]


@pytest.mark.parametrize(("act", "status", "code", "metric"), CASES.values(), ids=CASES.keys())
def test_bad_input_is_refused_plainly(person, board, moves, act, status, code, metric):
    moved = moves(metric)

    assert code_of(act(Hostile(person, board))) == (status, code)
    moved()


def test_a_full_queue_takes_no_more_and_keeps_what_it_has(stack, person, moves):
    moved = moves("queue_rejected_total")
    resume = person.upload()

    async def change(sql: str) -> None:
        connection = await asyncpg.connect(stack.launcher.parts.servers["DATABASE_URL"])
        await connection.execute(sql)
        await connection.close()

    asyncio.run(
        change(
            "INSERT INTO jobs (user_id, resume_id, posting_text, company_type)"
            " SELECT user_id, id, 'waits', 'waits' FROM"
            " (SELECT user_id, id FROM resumes ORDER BY created_at DESC LIMIT 1) AS newest,"
            f" generate_series(1, {ENOUGH_TO_FILL_THE_QUEUE})"
        )
    )
    try:
        full = person.ask(resume)
    finally:
        asyncio.run(change("DELETE FROM jobs WHERE company_type = 'waits'"))

    assert code_of(full) == (503, "queue_full")
    assert int(full.headers["retry-after"]) > 0
    moved()
    assert person.finished_job(person.ask(resume).json()["id"])["status"] == "completed"


def test_an_answer_that_is_not_what_was_asked_for_is_tried_again(stack, person, moves, eventually):
    moved = moves('llm_requests_total{outcome="invalid_answer"}')
    vendor = stack.launcher.parts.vendor_url
    httpx2.post(f"{vendor}/faults", json={"mode": "garbage"}).raise_for_status()
    try:
        job_id = person.ask_for_job()
        trace_id = person.job(job_id)["trace_id"]

        def retried():
            records = stack.ask("/api/logs", trace_id=trace_id, limit=100)["records"]
            return "llm_invalid_answer" in str(records)

        eventually(retried, "the log line of the retry with its code")
    finally:
        httpx2.post(f"{vendor}/faults", json={"mode": "none"}).raise_for_status()
    moved()
    assert person.finished_job(job_id)["status"] == "completed"


@pytest.mark.parametrize(
    ("part", "ask", "code"),
    [
        ("database", lambda person: person.client.get("/api/jobs"), "database_unavailable"),
        ("cache", lambda person: person.client.get("/api/me"), "cache_unavailable"),
        ("objects", lambda person: person.upload(), "objects_unavailable"),
    ],
)
def test_what_is_down_is_named_and_nothing_is_lost(
    stack, person, moves, eventually, part, ask, code
):
    before = person.client.get("/api/jobs").json()["jobs"]
    moved = moves(UNAVAILABLE)
    stack.launcher.supervisor.hold(part)
    try:
        answer = ask(person)
    finally:
        stack.launcher.supervisor.release(part)

    assert code_of(answer) == (503, code)
    assert int(answer.headers["retry-after"]) > 0
    moved()
    eventually(lambda: ask(person).is_success, f"{part} back")
    assert person.client.get("/api/jobs").json()["jobs"] == before
