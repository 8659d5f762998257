"""`watchkeeper init` reads a project as it is written, and its contract imports and passes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from resume_optimizer.api.app import create_app
from resume_optimizer.settings import Settings as AppSettings
from resume_optimizer.telemetry import CONTRACT
from watchkeeper import Telemetry
from watchkeeper.cli import main
from watchkeeper.scaffold import Endpoint, read_project

ROOT = Path(__file__).parents[3]
PROJECT = {
    "pyproject.toml": '[project]\nname = "Corner Shop"\nversion = "3.1"\n',
    "src/corner/__init__.py": "",
    "src/corner/main.py": (
        "from fastapi import FastAPI\n"
        "import asyncpg, redis.asyncio\n"
        "from .routers import orders\n"
        "from corner.routers.admin import router as admin\n"
        "raise RuntimeError('never import me')\n"
        "app = FastAPI(title='Corner')\n"
        "app.include_router(orders.router, prefix='/api')\n"
        "app.include_router(admin, prefix='/admin')\n"
        "@app.get('/health')\n"
        "def health(): ...\n"
    ),
    "src/corner/routers/__init__.py": "",
    "src/corner/routers/orders.py": (
        "from fastapi import APIRouter, UploadFile\n"
        "from saq import Queue\n"
        "import obstore\n"
        "router = APIRouter(prefix='/orders')\n"
        "items = APIRouter()\n"
        "@router.post('')\n"
        "async def buy(): ...\n"
        "@router.get('/{order_id}')\n"
        "async def one(order_id: str): ...\n"
        "@items.api_route('/items', methods=['GET', 'HEAD'])\n"
        "async def all_items(): ...\n"
        "router.include_router(items, prefix='/{order_id}')\n"
        "cache = {}\n"
        "@cache.get('not a path')\n"
        "def unrelated(): ...\n"
    ),
    "src/corner/routers/admin.py": (
        "import anthropic\n"
        "from fastapi import APIRouter\n"
        "router = APIRouter()\n"
        "def page(): ...\n"
        "router.add_api_route('/page', page, methods=['DELETE'])\n"
    ),
    "src/corner/broken.py": "def (:\n",
    "src/corner/tests/test_main.py": "import celery\n",
    "src/.venv/lib.py": "import openai\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def init(*arguments: str):
    return CliRunner().invoke(main, ["init", *arguments])


def test_routes_are_found_through_every_router(project):
    assert read_project(project).endpoints == (
        Endpoint("/admin/page", "DELETE"),
        Endpoint("/api/orders", "POST"),
        Endpoint("/api/orders/{order_id}", "GET"),
        Endpoint("/api/orders/{order_id}/items", "GET"),
        Endpoint("/api/orders/{order_id}/items", "HEAD"),
        Endpoint("/health", "GET"),
    )


def test_libraries_say_what_the_service_needs(project):
    found = read_project(project)
    assert found.libraries == {
        "database": "asyncpg",
        "cache": "redis",
        "objects": "obstore",
        "llm": "anthropic",
        "queue": "saq",
    }
    assert found.takes_files
    assert (found.name, found.version) == ("corner-shop", "3.1")


def test_the_contract_imports_and_passes_the_check(project):
    result = init(str(project))
    assert result.exit_code == 0, result.output
    path = project / "src" / "corner" / "telemetry.py"
    assert "watchkeeper check corner.telemetry:CONTRACT" in result.output
    assert "anthropic" in path.read_text()
    documents = ["--output", "docs/catalogue.md", "--runbooks", "docs/runbooks.md"]
    for command, options in (("docs", documents), ("check", ["--fail-on", "warning"])):
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "watchkeeper.cli", command),
                *("corner.telemetry:CONTRACT", *options),
            ],
            cwd=project / "src",
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_is_written_is_formatted_and_clean(project):
    init(str(project))
    path = str(project / "src" / "corner" / "telemetry.py")
    for command in (["format", "--check"], ["check", "--select", "E,F,I,W"]):
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "ruff", *command, "--line-length", "100", "--isolated"),
                path,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_contract_may_be_written_elsewhere(project):
    inside = init(str(project), "--output", str(project / "src" / "corner" / "watch.py"))
    assert "watchkeeper check corner.watch:CONTRACT" in inside.output
    outside = init(str(project), "--output", str(project / "elsewhere.py"))
    assert "watchkeeper check elsewhere:CONTRACT" in outside.output


def test_a_contract_that_is_there_is_not_written_over(project):
    path = project / "src" / "corner" / "telemetry.py"
    path.write_text("mine = True\n")
    refused = init(str(project))
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)
    assert "--force" in refused.output
    assert path.read_text() == "mine = True\n"
    assert init(str(project), "--force").exit_code == 0
    assert "CONTRACT" in path.read_text()


@pytest.mark.parametrize(
    ("files", "words"),
    [({}, "no module makes a FastAPI object"), ({"main.py": "x = 1\n"}, "is this the project")],
)
def test_a_folder_without_an_application_is_told(tmp_path, files, words):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    result = init(str(tmp_path))
    assert (result.exit_code, words in result.output) == (2, True)
    assert init(str(tmp_path / "nowhere")).exit_code == 2


def test_a_single_file_is_a_project_too(tmp_path):
    (tmp_path / "main.py").write_text(
        "import fastapi\napp = fastapi.FastAPI()\n@app.get('/')\ndef root(): ...\n"
    )
    assert init(str(tmp_path)).exit_code == 0
    text = (tmp_path / "telemetry.py").read_text()
    assert "GET     /\n" in text
    assert "http.watched()" in text
    assert "database" not in text


def test_the_routes_that_are_read_are_those_that_fastapi_has(monkeypatch):
    environment = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "CACHE_URL": "redis://127.0.0.1:1",
        "OBJECTS_ENDPOINT": "http://127.0.0.1:1",
        "OBJECTS_ACCESS_KEY": "a",
        "OBJECTS_SECRET_KEY": "b",
    }
    app = create_app(AppSettings.from_environment(environment), Telemetry(CONTRACT))
    real = {
        (path, method.upper())
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    read = {(one.path, one.method) for one in read_project(ROOT).endpoints}
    assert real <= read
    assert len(read - real) < len(real), "pages are left out of the schema, and few"
