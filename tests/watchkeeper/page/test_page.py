"""Every place in the page, seen in a browser: it opens, complains of nothing, asks nobody else."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from watchkeeper.server.page import STATIC

MOST_SCRIPT_BYTES = 80 * 1024
UI = Path(__file__).parents[3] / "ui"
AXE = UI / "node_modules" / "axe-core" / "axe.min.js"
PLACES = {
    "/": "TargetDown",
    "/dashboards/everything": "Every kind of panel",
    "/logs": "the model timed out",
    "/traces": "1 error",
    "/traces/4bf92f3577b34da6a3ce929d0e0e4736?span=3333333333333333": "no answer within 2 s",
    "/alerts?rule=TargetDown": "has not answered for a minute",
    "/alerts/notifications": "Nobody has been told",
    "/alerts/silences?silence=%7B%22job%22%3A%22worker%22%7D": "New silence",
    "/explore": "Explore",
    "/explore?expr=up": "Graph",
    "/explore?expr=up&view=table": "worker",
    "/nowhere": "There is no such page",
}
browser_only = pytest.mark.browser


@browser_only
@pytest.mark.parametrize("place", PLACES)
def test_a_place_opens_on_a_desk_and_on_a_phone_without_a_complaint(watched, place):
    page = watched.open(place)
    expect(page.locator("main").get_by_text(PLACES[place]).first).to_be_visible()
    expect(page.locator(".waiting")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert {urlsplit(url).netloc for url in watched.requests} == {urlsplit(watched.url).netloc}
    assert watched.complaints == []


@browser_only
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_no_barrier_in_the_dark_or_in_the_light(watched, place):
    if not AXE.exists():
        pytest.skip("axe-core was not run: it is installed by `npm ci` in ui/")
    page = watched.open(place)
    expect(page.locator("main").get_by_text(PLACES[place]).first).to_be_visible()
    expect(page.locator(".waiting")).to_have_count(0)
    page.evaluate(AXE.read_text())
    assert barriers(page) == []
    page.emulate_media(color_scheme="light")
    assert barriers(page) == []


def barriers(page: Page) -> list[str]:
    """Return what breaks a rule of WCAG 2, levels A and AA."""
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], "
        "resultTypes: ['violations']})"
    )
    return [
        f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def test_the_script_is_small():
    (script,) = STATIC.glob("assets/app.*.js")
    assert len(gzip.compress(script.read_bytes(), 9)) <= MOST_SCRIPT_BYTES


def test_the_page_names_the_files_that_are_there_and_holds_no_script_or_style_itself():
    index = (STATIC / "index.html").read_text()
    named = re.findall(r'(?:src|href)="/(assets/[^"]+)"', index)
    assert len(named) == 3
    assert all((STATIC / name).is_file() for name in named)
    assert not re.search(r"<style|style=|<script[^>]*>[^<]|\son\w+=", index)


def test_the_lock_names_no_address_of_a_package():
    lock = (UI / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_the_files_that_are_committed_are_what_the_sources_make(program, tmp_path):
    if not AXE.exists():
        pytest.skip("the page was not built anew: its tools are installed by `npm ci` in ui/")
    command = [program("node"), "build.js", "--out", str(tmp_path)]
    subprocess.run(command, cwd=UI, check=True, capture_output=True, timeout=60)
    assert contents(tmp_path) == contents(STATIC)


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }
