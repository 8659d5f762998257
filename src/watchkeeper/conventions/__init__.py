"""Ready declarations for what most services have; compose them into a contract."""

from watchkeeper.conventions import (
    cache,
    database,
    dependencies,
    files,
    http,
    http_client,
    jobs,
    llm,
    objects,
    probe,
    process,
    queue,
    telemetry,
    users,
)

__all__ = [
    "cache",
    "database",
    "dependencies",
    "files",
    "http",
    "http_client",
    "jobs",
    "llm",
    "objects",
    "probe",
    "process",
    "queue",
    "telemetry",
    "users",
]
