"""Statistics: what the metrics say about all jobs together, read from the one truth."""

from __future__ import annotations

from dataclasses import dataclass

from resume_optimizer.database.pool import Database


@dataclass(frozen=True, slots=True)
class RecentOutcomes:
    """How many things of late succeeded, and how many there were."""

    succeeded: int
    total: int

    @property
    def rate(self) -> float | None:
        """The share that succeeded, 0 to 1, or None when there were none."""
        return self.succeeded / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class StorageUse:
    """Bytes kept in the file store, and for how long they are not paid for yet."""

    kept_bytes: int
    unpaid_seconds: float


async def active_jobs(database: Database) -> dict[str, int]:
    """Return how many jobs are queued and how many running."""
    rows = await database.rows(
        "SELECT status, count(*) AS jobs FROM jobs WHERE status IN ('queued', 'running')"
        " GROUP BY status"
    )
    return {"queued": 0, "running": 0} | {row["status"]: row["jobs"] for row in rows}


async def recent_jobs(database: Database, seconds: float) -> RecentOutcomes:
    """Return how the jobs of the last so many seconds ended."""
    row = await database.row(
        "SELECT count(*) FILTER (WHERE status = 'completed') AS succeeded, count(*) AS total"
        " FROM jobs WHERE ended_at > now() - make_interval(secs => $1)",
        seconds,
    )
    return RecentOutcomes(row["succeeded"], row["total"]) if row else RecentOutcomes(0, 0)


async def recent_llm_calls(database: Database, seconds: float) -> RecentOutcomes:
    """Return how the LLM calls of the last so many seconds ended."""
    row = await database.row(
        "SELECT count(*) FILTER (WHERE outcome = 'success') AS succeeded, count(*) AS total"
        " FROM llm_calls WHERE created_at > now() - make_interval(secs => $1)",
        seconds,
    )
    return RecentOutcomes(row["succeeded"], row["total"]) if row else RecentOutcomes(0, 0)


async def charge_storage(database: Database, every_seconds: float) -> StorageUse | None:
    """Move the time until which storage is paid to now, and return what that stretch kept.

    Returns None when it was moved less than `every_seconds` ago: of several workers one counts.
    """
    async with database.transaction() as connection:
        unpaid = await connection.fetchval(
            "WITH before AS (SELECT charged_until FROM storage_charges FOR UPDATE)"
            " UPDATE storage_charges SET charged_until = now() FROM before"
            " WHERE before.charged_until < now() - make_interval(secs => $1)"
            " RETURNING now() - before.charged_until",
            every_seconds,
        )
        if unpaid is None:
            return None
        kept = await connection.fetchval(
            "SELECT (SELECT coalesce(sum(size_bytes), 0) FROM resumes)"
            " + (SELECT coalesce(sum(docx_bytes + pdf_bytes), 0) FROM results)"
        )
    return StorageUse(kept_bytes=int(kept), unpaid_seconds=unpaid.total_seconds())
