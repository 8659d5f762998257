"""What a project is: its application, its routes, and the libraries that say what it needs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.errors import ConfigError
from watchkeeper.scaffold.routes import Application, Endpoint, applications, endpoints
from watchkeeper.scaffold.sources import SourceFile, source_files

CONVENTIONS = {
    "database": ("asyncpg", "psycopg", "psycopg2", "sqlalchemy", "aiomysql", "sqlmodel"),
    "cache": ("redis", "valkey", "coredis", "glide"),
    "objects": ("boto3", "aioboto3", "aiobotocore", "obstore", "minio", "s3fs"),
    "llm": ("openai", "anthropic", "litellm", "mistralai", "cohere"),
    "queue": ("saq", "celery", "arq", "rq", "dramatiq", "taskiq"),
    "http_client": ("httpx", "httpx2", "aiohttp", "requests"),
}
"""The libraries whose use calls for a convention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A FastAPI project. `libraries` has, by convention, the library that calls for it;
    `root` is the folder from which its modules are imported."""

    name: str
    version: str
    root: Path
    application: Application
    endpoints: tuple[Endpoint, ...]
    libraries: dict[str, str]
    takes_files: bool

    @property
    def contract_path(self) -> Path:
        """Where the contract belongs: beside the application."""
        return self.application.source.path.parent / "telemetry.py"

    def module_of(self, path: Path) -> str:
        """Return the dotted name under which a file is imported."""
        inside = path.is_relative_to(self.root)
        parts = (path.relative_to(self.root) if inside else Path(path.name)).with_suffix("").parts
        return ".".join(parts)


def read_project(directory: Path) -> Project:
    """Return what the code under `directory` says. Raises ConfigError when no FastAPI object is
    made there."""
    if not directory.is_dir():
        raise ConfigError("is not a directory", source=str(directory))
    files = list(source_files(directory))
    found = applications(files)
    if not found:
        raise ConfigError(
            "no module makes a FastAPI object (app = FastAPI()); is this the project's folder?",
            source=str(directory),
        )
    name, version = _named(directory)
    return Project(
        name=name,
        version=version,
        root=directory / "src" if (directory / "src").is_dir() else directory,
        application=found[0],
        endpoints=tuple(endpoints(files)),
        libraries=_libraries(files),
        takes_files=any("UploadFile" in file.imported for file in files),
    )


def _named(directory: Path) -> tuple[str, str]:
    """Return name and version, from pyproject.toml where it has them."""
    try:
        project = tomllib.loads((directory / "pyproject.toml").read_text("utf-8"))["project"]
    except (OSError, KeyError, ValueError):
        project = {}
    name = str(project.get("name") or directory.resolve().name)
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "service"
    return plain, str(project.get("version") or "0.1.0")


def _libraries(files: Sequence[SourceFile]) -> dict[str, str]:
    imported = {name.partition(".")[0].lower() for file in files for name in file.imported.values()}
    found = {}
    for convention, libraries in CONVENTIONS.items():
        used = [library for library in libraries if library in imported]
        if used:
            found[convention] = used[0]
    return found
