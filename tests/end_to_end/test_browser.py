"""What a person sees, in a real browser: a resume goes up, its result comes down, and the page
of Watchkeeper shows the same job from its dashboard to its trace to its log lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from resume_optimizer.resumes.sample import POSTING, read, read_text

pytestmark = [pytest.mark.servers, pytest.mark.browser, pytest.mark.timeout(600)]

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="module")
def page(program) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        yield opened
        browser.close()


@pytest.fixture(scope="module")
def job_id(stack, page) -> str:
    """A job that somebody asked for through the pages."""
    page.goto(f"{stack.service}/register")
    page.fill("input[name=email]", "browser@resume-optimizer.example")
    page.fill("input[name=password]", "correct horse battery staple")
    page.get_by_role("button", name="Register").click()
    page.set_input_files(
        "input[type=file]",
        {"name": "resume.pdf", "mimeType": "application/pdf", "buffer": read("ines_kallweit.pdf")},
    )
    page.fill("textarea", read_text(POSTING))
    page.get_by_role("button", name="Optimise").click()
    page.wait_for_url("**/jobs/*")
    return page.url.rpartition("/")[2]


def test_a_resume_goes_up_and_its_result_comes_down(stack, page, job_id, tmp_path):
    page.goto(f"{stack.service}/jobs/{job_id}")
    expect(page.get_by_text("Before and after")).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    saved = tmp_path / "resume.pdf"
    download.value.save_as(saved)
    assert Path(saved).read_bytes().startswith(b"%PDF-")


def test_its_id_leads_to_its_trace_and_the_trace_to_its_lines(stack, page, job_id, eventually):
    eventually(
        lambda: stack.ask("/api/logs", query=f"job_id:{job_id} completed")["records"],
        "the line about the job's end",
    )
    page.goto(f"{stack.backend}/")
    search = page.get_by_placeholder("Job or trace id")
    search.fill(job_id)
    search.press("Enter")
    for work in ("process optimise_resume", "file_processing", "llm_api_call", "write_documents"):
        expect(page.get_by_text(work).first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Job completed").first).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("kind", ["application", "business"])
def test_the_dashboards_are_drawn_without_a_word_of_complaint(stack, page, job_id, kind):
    complaints: list[str] = []
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{stack.backend}/#/dashboards/resume-optimizer-{kind}")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Resume Optimizer")
    expect(page.locator("canvas").first).to_be_visible(timeout=60_000)
    assert complaints == []
