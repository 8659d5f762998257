"""Ready declarations for what most services have; compose them into a contract.

Each has `SIGNALS`, what its instruments record, and `watched()`, a part of a contract with the
alerts, panels and runbooks that most services want for it.
"""

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
