"""Uploads and jobs: what is taken, and how each thing that is not is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from resume_optimizer.api import create_app
from resume_optimizer.resumes import sample
from resume_optimizer.services import Services
from resume_optimizer.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

MEGABYTE = 1024 * 1024
POSTING = sample.read_text(sample.POSTING)


def code(answer: httpx2.Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "trace_id"}
    assert len(error["trace_id"]) == 32
    return answer.status_code, error["code"]


@pytest.mark.parametrize(
    ("name", "file_type"), [(sample.PDF, "pdf"), (sample.DOCX, "docx"), (sample.RESUME, "txt")]
)
async def test_a_file_is_known_by_its_bytes(
    person: Any, measured: Any, name: str, file_type: str
) -> None:
    answer = await person.uploads(sample.read(name), "misleading.exe")

    assert answer.status_code == 201
    assert answer.json()["file_type"] == file_type
    assert measured("file_upload_size_bytes_count") == 1


async def test_what_is_no_resume_is_refused(person: Any, measured: Any) -> None:
    assert code(await person.uploads(b"\x7fELF\x00\x01\x02", "resume.pdf")) == (
        415,
        "file_type_unsupported",
    )
    assert measured("files_processed_total", file_type="other", status="rejected") == 1


async def test_ten_megabytes_are_taken_and_eleven_are_not(person: Any) -> None:
    ten = await person.uploads(b"word " * (2 * MEGABYTE), "long.txt")
    just_over = await person.uploads(b"word " * (2 * MEGABYTE) + b"!", "long.txt")
    eleven = await person.uploads(b"word " * (11 * MEGABYTE // 5), "long.txt")

    assert ten.status_code == 201
    assert code(just_over) == code(eleven) == (413, "file_too_large")


async def test_eleven_megabytes_without_an_announced_length_are_cut_off(person: Any) -> None:
    async def body() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(11):
            yield b"w" * MEGABYTE
        yield b"\r\n--b--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert code(await person.post("/api/resumes", content=body(), headers=headers)) == (
        413,
        "file_too_large",
    )


async def test_without_a_file_there_is_nothing_to_keep(person: Any) -> None:
    answer = await person.post("/api/resumes", data={"file": "just text"})

    assert code(answer) == (422, "file_missing")


async def test_a_large_body_elsewhere_is_refused(person: Any) -> None:
    answer = await person.post("/api/jobs", content=b" " * (2 * MEGABYTE))

    assert code(answer) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("posting", "refusal"),
    [
        ({"posting_text": ""}, "posting_missing"),
        ({"posting_text": POSTING, "posting_url": "https://example.org"}, "posting_missing"),
        ({"posting_text": "hello"}, "posting_too_short"),
        ({"posting_text": "hello " * 20_000}, "posting_too_large"),
        ({"posting_url": "http://127.0.0.1/posting"}, "posting_url_private"),
        ({"posting_url": "http://[::1]:8000/"}, "posting_url_private"),
        ({"posting_url": "http://10.0.0.7/"}, "posting_url_private"),
        ({"posting_url": "http://169.254.169.254/latest/meta-data"}, "posting_url_private"),
        ({"posting_url": "file:///etc/passwd"}, "posting_url_invalid"),
        ({"posting_url": "http://me:secret@example.org/"}, "posting_url_invalid"),
    ],
)
async def test_a_posting_that_cannot_be_used_is_refused_at_once(
    person: Any, posting: dict[str, str], refusal: str
) -> None:
    answer = await person.asks(await person.resume(), **posting)

    assert code(answer) == (422, refusal)


async def test_a_full_queue_takes_no_more(
    services: Services, settings: Settings, telemetry: Any, serve: Any, person: Any, measured: Any
) -> None:
    resume_id = await person.resume()
    tight = replace(settings, limits=replace(settings.limits, queued_jobs=2))
    async with (
        serve(create_app(tight, telemetry)) as url,
        httpx2.AsyncClient(base_url=url, headers=person.headers, timeout=60) as client,
    ):
        wanted = {"resume_id": resume_id, "posting_text": POSTING}
        answers = [await client.post("/api/jobs", json=wanted) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 202, 503]
    assert code(answers[2]) == (503, "queue_full")
    assert int(answers[2].headers["retry-after"]) > 0
    assert measured("queue_rejected_total", queue="jobs") == 1
    assert await services.database.value("SELECT count(*) FROM jobs") == 2


async def test_the_same_request_twice_is_one_job(person: Any, services: Services) -> None:
    wanted = {"resume_id": await person.resume(), "posting_text": POSTING}
    key = {"idempotency-key": "monday"}

    answers = await asyncio.gather(
        *(person.post("/api/jobs", json=wanted, headers=key) for _ in range(5))
    )

    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await services.database.value("SELECT count(*) FROM jobs") == 1


async def test_jobs_and_resumes_of_others_are_not_there(newcomer: Any) -> None:
    ada, bob = await newcomer(), await newcomer()
    job_id = await ada.job()
    resume_id = await ada.resume()

    assert code(await bob.get(f"/api/jobs/{job_id}")) == (404, "job_not_found")
    assert code(await bob.get(f"/api/jobs/{job_id}/result")) == (404, "job_not_found")
    assert code(await bob.get(f"/api/jobs/{job_id}/resume.pdf")) == (404, "job_not_found")
    assert code(await bob.asks(resume_id)) == (404, "resume_not_found")
    assert (await bob.get("/api/jobs")).json() == {"jobs": []}
    assert (await bob.get("/api/resumes")).json() == {"resumes": []}


async def test_a_job_that_has_not_ended_has_no_result_yet(person: Any) -> None:
    job_id = await person.job()

    assert (await person.get(f"/api/jobs/{job_id}")).json()["status"] == "queued"
    assert code(await person.get(f"/api/jobs/{job_id}/result")) == (409, "job_not_finished")


@pytest.mark.parametrize("path", ["/api/resumes", "/api/jobs", "/api/me"])
async def test_strangers_are_asked_to_log_in(api: httpx2.AsyncClient, path: str) -> None:
    assert code(await api.get(path)) == (401, "not_logged_in")
    assert code(await api.get(path, headers={"authorization": "Bearer guessed"})) == (
        401,
        "not_logged_in",
    )


async def test_what_is_no_request_is_refused_by_the_place_of_the_fault(person: Any) -> None:
    answer = await person.post("/api/jobs", json={"resume_id": "seven"})

    assert code(answer) == (422, "request_invalid")
    assert answer.json()["error"]["message"].startswith("resume_id: ")
    assert code(await person.get("/api/nothing")) == (404, "not_found")
    assert code(await person.post("/api/me")) == (405, "method_not_allowed")


async def test_a_fault_of_the_program_shows_no_traceback(
    person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the secret is 1234")

    monkeypatch.setattr("resume_optimizer.database.jobs.of_user", broken)

    answer = await person.get("/api/jobs")

    assert code(answer) == (500, "internal_error")
    assert "1234" not in answer.text
    assert "Traceback" not in answer.text
