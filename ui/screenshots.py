"""Takes the pictures of the README from a backend that runs: python ui/screenshots.py URL.

Give it about five minutes of traffic first (`make run TRAFFIC=20`): empty graphs say little.
"""

from __future__ import annotations

import json
import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

DIRECTORY = Path(__file__).parents[1] / "docs" / "screenshots"
MOST_BYTES = 200_000
PATIENCE_MS = 30_000
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def main(url: str) -> None:
    """Write docs/screenshots/*.png."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed: install it, then run this again")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark")
        for name, place in places(url).items():
            take(page, f"{url}/#{place}", DIRECTORY / f"{name}.png")
        browser.close()


def places(url: str) -> dict[str, str]:
    """Return where each picture is taken."""
    (first, *_) = ask(f"{url}/api/dashboards")
    return {
        "overview": "/?from=now-5m",
        "dashboard": f"/dashboards/{first['uid']}?from=now-5m",
        "trace": f"/traces/{telling_trace(url)}",
        "logs": "/logs?from=now-5m&query=-logger:watchkeeper.access",
        "alerts": f"/alerts?from=now-5m&rule={firing_rule(url)}",
    }


def telling_trace(url: str) -> str:
    """Return the trace of fewest spans that passed through several services."""
    traces = ask(f"{url}/api/traces?limit=500")["traces"]
    best = max(traces, key=lambda trace: (len(trace["services"]) > 1, -trace["spans"]))
    return str(best["trace_id"])


def firing_rule(url: str) -> str:
    """Return a rule that fires, or nothing where none does."""
    rules = [rule for group in ask(f"{url}/api/alerts")["groups"] for rule in group["rules"]]
    names = [
        rule["name"]
        for rule in rules
        if rule.get("state") == "firing" and rule["labels"].get("severity") != "none"
    ]
    return names[0] if names else ""


def ask(address: str) -> Any:
    """Return what the backend answers."""
    with urlopen(address) as answer:
        return json.load(answer)


def take(page: Page, address: str, path: Path) -> None:
    """Write one picture; complain where it is too heavy for a README."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    expect(page.locator(".waiting")).to_have_count(0, timeout=PATIENCE_MS)
    if path.stem == "logs":
        page.locator(".record-line").first.click()
        page.mouse.move(0, 0)
    picture = Image.open(BytesIO(page.screenshot()))
    picture.convert("RGB").save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {size / 1000:.0f} kB" + (" (too large)" if size > MOST_BYTES else ""))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/") if len(sys.argv) == 2 else "http://127.0.0.1:9400")
