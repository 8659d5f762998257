"""What the Resume Optimizer is made of, each part with the alerts and panels of its convention."""

from resume_optimizer.telemetry.signals import FEATURE
from watchkeeper.contract import Drill
from watchkeeper.conventions import (
    cache,
    database,
    dependencies,
    files,
    http,
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

DEPENDENCIES = (
    Dependency(
        name="database",
        alert="DatabaseConnectionIssues",
        title="PostgreSQL",
        consequence="Nobody can log in, upload or see a result.",
    ),
    Dependency(
        name="cache",
        alert="CacheDown",
        title="Valkey",
        consequence="Sessions, rate limits and the queue stand still.",
    ),
    Dependency(
        name="objects",
        alert="ObjectStoreDown",
        title="The object store",
        consequence="Resumes cannot be uploaded and results not downloaded.",
    ),
)
PARTS = (
    http.watched(),
    dependencies.watched(*DEPENDENCIES),
    jobs.watched(),
    queue.watched(),
    process.watched(),
    database.watched(),
    cache.watched(),
    objects.watched(),
    llm.watched(users.USER_TYPE, FEATURE),
    files.watched(),
    users.watched(),
    probe.watched(
        "optimize_resume", "A synthetic user could not get from login to a finished resume."
    ),
    telemetry.watched(),
)
DRILLS = (
    Drill(
        name="database-down",
        help="PostgreSQL stops.",
        proves=("DatabaseConnectionIssues", "HighErrorRate", "JourneyFailing"),
    ),
    Drill(
        name="database-slow",
        help="Every query takes seconds.",
        proves=("HighResponseTime", "DatabasePoolExhausted"),
    ),
    Drill(name="cache-down", help="Valkey stops.", proves=("CacheDown", "CacheErrors")),
    Drill(
        name="objects-down",
        help="The object store stops.",
        proves=("ObjectStoreDown", "ObjectStoreErrors"),
    ),
    Drill(
        name="llm-errors",
        help="The model's vendor answers with errors.",
        proves=("LLMAPIFailures", "JobProcessingFailures"),
    ),
    Drill(name="llm-slow", help="The model's vendor takes its time.", proves=("LLMSlow",)),
    Drill(name="memory", help="A process takes more and more memory.", proves=("HighMemoryUsage",)),
    Drill(name="queue-stalled", help="No worker takes from the queue.", proves=("QueueStalled",)),
    Drill(name="traffic-surge", help="Many more people come.", proves=("LLMCostHigh",)),
    Drill(name="worker-killed", help="A worker dies.", proves=("TargetDown",)),
)
