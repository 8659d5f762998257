"""The pages: used as a browser without scripts uses them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

import resume_optimizer.api
from resume_optimizer.resumes import sample

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

PASSWORD = "correct horse battery"
TEMPLATES = Path(resume_optimizer.api.__file__).with_name("templates")


@pytest.fixture
def browser(api: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A browser with its cookies."""
    api.headers["accept"] = "text/html"
    api.follow_redirects = True
    return api


async def form_token(browser: httpx2.AsyncClient, path: str) -> str:
    match = re.search(r'name="form_token" value="([^"]+)"', (await browser.get(path)).text)
    assert match
    return match[1]


async def enters(browser: httpx2.AsyncClient, path: str = "/register") -> httpx2.Response:
    fields = {
        "form_token": await form_token(browser, path),
        "email": "ada@example.org",
        "password": PASSWORD,
    }
    return await browser.post(path, data=fields)


async def optimises(browser: httpx2.AsyncClient, **fields: str) -> httpx2.Response:
    fields = {
        "form_token": await form_token(browser, "/"),
        "posting_text": sample.read_text(sample.POSTING),
        **fields,
    }
    resume = {"file": ("my <b>resume.txt", sample.read(sample.RESUME))}
    return await browser.post("/optimise", data=fields, files=resume)


async def test_a_person_gets_from_registering_to_a_result(
    browser: httpx2.AsyncClient, worker: None, eventually: Any
) -> None:
    assert "Fit a resume to a posting" in (await enters(browser)).text

    waiting = await optimises(browser)
    assert '<meta http-equiv="refresh" content="2">' in waiting.text

    async def look() -> str:
        page = (await browser.get(waiting.url)).text
        return page if "Match after" in page else ""

    page = await eventually(look)
    for shown in ("Still missing", "What changed", "Before and after", "Download PDF", "<ins>"):
        assert shown in page
    assert "http-equiv" not in page
    link = re.search(r'href="(/api/jobs/[^"]+\.docx)"', page)
    assert link
    assert (await browser.get(link[1])).content.startswith(b"PK")
    assert "my &lt;b&gt;resume.txt" in (await browser.get("/jobs")).text


async def test_what_is_wrong_is_said_above_the_form_and_nothing_typed_is_lost(
    browser: httpx2.AsyncClient,
) -> None:
    await enters(browser)

    answer = await optimises(browser, posting_text="<too short>")

    assert answer.status_code == 422
    assert "posting_too_short" in answer.text
    assert "&lt;too short&gt;" in answer.text


async def test_a_wrong_password_leads_back_to_the_form(browser: httpx2.AsyncClient) -> None:
    answer = await enters(browser, "/login")

    assert answer.status_code == 401
    assert "credentials_wrong" in answer.text
    assert 'value="ada@example.org"' in answer.text
    assert PASSWORD not in answer.text


async def test_logging_out_ends_the_session(browser: httpx2.AsyncClient) -> None:
    await enters(browser)
    session = browser.cookies["session"]

    await browser.post("/logout", data={"form_token": await form_token(browser, "/")})

    me = await browser.get("/api/me", headers={"authorization": f"Bearer {session}"})
    assert me.status_code == 401
    assert (await browser.get("/jobs")).url.path == "/login"


@pytest.mark.parametrize("path", ["/login", "/register", "/logout", "/optimise"])
async def test_a_form_of_another_site_is_refused(browser: httpx2.AsyncClient, path: str) -> None:
    if path in ("/logout", "/optimise"):
        await enters(browser)

    answer = await browser.post(path, data={"form_token": "guessed", "email": "a@b.de"})

    assert answer.status_code == 403
    assert "form_expired" in answer.text


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    browser: httpx2.AsyncClient,
) -> None:
    browser.follow_redirects = False
    cookies = (await enters(browser)).headers.get_list("set-cookie")

    session = next(cookie for cookie in cookies if cookie.startswith("session="))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session


async def test_every_answer_tells_the_browser_to_run_nothing(browser: httpx2.AsyncClient) -> None:
    for path in ("/", "/login", "/nothing-here", "/static/style.css"):
        policy = (await browser.get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_template_holds_scripts_or_styles(template: Path) -> None:
    assert not re.search(r"<script|<style| style=| on[a-z]+=", template.read_text("utf-8"))


async def test_a_page_that_is_not_there_is_said_so_on_a_page(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/nothing-here")

    assert answer.status_code == 404
    assert answer.headers["trace-id"] in answer.text
    assert "not_found" in answer.text


async def test_the_job_of_somebody_else_is_not_there(
    browser: httpx2.AsyncClient, person: Any
) -> None:
    job_id = await person.job()
    await enters(browser)

    assert (await browser.get(f"/jobs/{job_id}")).status_code == 404
