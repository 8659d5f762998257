"""What the documents show is true: their Python runs, their links lead somewhere."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from resume_optimizer.devstack.options import Ports
from watchkeeper.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")


def python_of(document: Path) -> str:
    blocks = re.findall(
        r"^```python\n(.*?)^```", document.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return "\n".join(blocks)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    for target, anchor in LINK.findall(document.read_text("utf-8")):
        linked = document.parent / target if target else document
        assert linked.exists(), f"{document.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor


@pytest.mark.anyio
async def test_the_shop_of_the_readme_counts_its_orders():
    shown: dict[str, Any] = {}
    exec(compile(python_of(ROOT / "README.md"), "README.md", "exec"), shown)
    app = shown["app"]
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://shop") as client,
    ):
        assert (await client.post("/orders")).json() == {"status": "paid"}
        exposition = (await client.get("/metrics")).text
    shown["watch"].stop()
    assert 'orders_total{outcome="paid"} 1' in exposition
    assert 'orders_total{outcome="declined"} 0' in exposition


def test_the_contract_of_its_document_has_no_fault(tmp_path, monkeypatch):
    (tmp_path / "hotel.py").write_text(python_of(ROOT / "docs/contract.md"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    written = CliRunner().invoke(
        main, ["docs", "hotel:CONTRACT", "--output", "docs/a.md", "--runbooks", "docs/runbooks.md"]
    )
    assert written.exit_code == 0
    result = CliRunner().invoke(main, ["check", "hotel:CONTRACT", "--fail-on", "warning"])
    assert result.output == "nothing found\n"
    rendered = CliRunner().invoke(main, ["render", "hotel:CONTRACT"])
    assert rendered.exit_code == 0


def test_every_variable_that_is_read_is_documented():
    documented = set(
        re.findall(r"`([A-Z][A-Z0-9_]+)", (ROOT / "docs/settings.md").read_text("utf-8"))
    )
    assert variables_read() - documented == set()


def variables_read() -> set[str]:
    """What the settings classes and the command line look up in the environment."""
    reading = re.compile(
        r'(?:source\.\w+|_number|_pairs|_paths|\.get)\((?:\s*(?:environment|values|os\.environ),)?\s*"([A-Z][A-Z0-9_]+)"'
    )
    sources = [
        "src/resume_optimizer/settings.py",
        "src/resume_optimizer/devstack/options.py",
        "src/watchkeeper/instrument/settings.py",
        *(path.relative_to(ROOT) for path in (ROOT / "src/watchkeeper/cli").glob("*.py")),
    ]
    found = {name for path in sources for name in reading.findall((ROOT / path).read_text("utf-8"))}
    assert len(found) > 30
    return found | {field.name.upper() for field in fields(Ports)}
