"""A service that takes every convention whole; what it renders to is kept in golden/."""

from watchkeeper.contract import Contract, Label
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
from watchkeeper.conventions.dependencies import Dependency

POSTGRES = Dependency(
    name="database",
    alert="DatabaseDown",
    title="PostgreSQL",
    consequence="Nobody can buy anything.",
)
EVERYTHING = Contract(
    service="everything",
    version="1.0.0",
    owner="platform",
    parts=(
        http.watched(),
        http_client.watched(),
        dependencies.watched(POSTGRES),
        database.watched(),
        cache.watched(),
        objects.watched(),
        queue.watched(),
        jobs.watched(),
        files.watched(),
        llm.watched(Label("tenant", limit=50)),
        users.watched(),
        probe.watched("buy"),
        process.watched(),
        telemetry.watched(),
    ),
)
