"""DuckDB, kept on a short lead: one instance a store, its memory and threads bounded.

Its own automatic checkpoints are off (they block every commit): segments are checkpointed
when they were written. Nothing is ever fetched from the network.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar

import duckdb

from watchkeeper.storage.limits import StoreLimits

Cursor = duckdb.DuckDBPyConnection
EngineError = duckdb.Error
T = TypeVar("T")
_ROWS_AT_ONCE = 1000
_NEW_FILE = "STORAGE_VERSION 'latest', RECOVERY_MODE 'no_wal_writes'"
_GENEROUS = 8
"""How many times its memory the engine may take where its usual one is not enough."""


class Engine:
    """An in-memory DuckDB to which segment files are attached by name."""

    def __init__(self, limits: StoreLimits, spill_directory: Path) -> None:
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{limits.engine_memory_bytes // (1 << 20)}MiB",
                "threads": limits.engine_threads,
                "temp_directory": str(spill_directory),
                "checkpoint_threshold": "1TiB",
                # By default, 128 MiB of what it freed stay with the process.
                "allocator_flush_threshold": "1MiB",
                "allocator_bulk_deallocation_flush_threshold": "1MiB",
                "allocator_background_threads": True,
                # Parts never change: to join their row groups again would leave a hole as large.
                "max_vacuum_tasks": 0,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                # Arrays of objects are of texts: none is looked at to find that out.
                "pandas_analyze_sample": 0,
                # DuckDB 2.0 fails on the first rows, in order, of those between two row ids.
                "disabled_optimizers": "late_materialization",
            },
        )
        self._names = (f"segment_{number}" for number in itertools.count(1))
        self._memory_mebibytes = limits.engine_memory_bytes // (1 << 20)
        self._lending = Lock()

    def cursor(self) -> Cursor:
        """Return a connection of its own to the instance; each thread and transaction needs one."""
        return self._connection.cursor()

    def attach(self, path: Path, *, read_only: bool = False, block_bytes: int | None = None) -> str:
        """Open or make a database file and return the name of its catalog. Raises EngineError.

        What is written to a new file is in it once it is checkpointed, and not in a log before.
        `block_bytes` is for a new file of few rows, which would otherwise take 256 KiB a table.
        """
        name = next(self._names)
        quoted = str(path).replace("'", "''")
        mode = "READ_ONLY" if read_only else _NEW_FILE
        if block_bytes is not None:
            mode += f", BLOCK_SIZE {block_bytes}"
        self._connection.cursor().execute(f"ATTACH '{quoted}' AS {name} ({mode})")
        return name

    def detach(self, name: str) -> None:
        """Close a database file that nobody uses."""
        self._connection.cursor().execute(f"DETACH {name}")

    def with_memory(self, work: Callable[[], T]) -> T:
        """Do what may be done twice: again, with several times the memory, where it was too little.

        The engine works on 2,048 rows at a time: of texts of many kilobytes that is a lot.
        """
        try:
            return work()
        except duckdb.OutOfMemoryException:
            with self._lending, self.cursor() as cursor:
                cursor.execute(f"SET memory_limit = '{_GENEROUS * self._memory_mebibytes}MiB'")
                try:
                    return work()
                finally:
                    # Refused while others still hold more; the next to lend some takes it back.
                    with suppress(EngineError):
                        cursor.execute(f"SET memory_limit = '{self._memory_mebibytes}MiB'")

    def close(self) -> None:
        """Close the instance and every file."""
        self._connection.close()


def read_through(cursor: Cursor, table: str) -> int:
    """Read every row of a table, and so every checksum; return how many. Raises EngineError."""
    # DuckDB checks the checksum of each block that it reads, so each column has to be read.
    found = cursor.execute(f"SELECT hash(COLUMNS(*)) FROM {table}")
    rows = 0
    while some := found.fetchmany(_ROWS_AT_ONCE):
        rows += len(some)
    return rows


def is_damage(error: EngineError) -> bool:
    """Tell whether an error speaks of bytes on disk, rather than of room or of the query."""
    text = str(error)
    if is_interrupted(error) or isinstance(error, duckdb.OutOfMemoryException):
        return False
    kinds = (
        duckdb.IOException,
        duckdb.SerializationException,
        duckdb.CatalogException,
        duckdb.FatalException,
        duckdb.InternalException,
    )
    return "Corrupt" in text or isinstance(error, kinds)


def is_interrupted(error: EngineError) -> bool:
    """Tell whether a file must be opened again since a write to it failed for want of room."""
    text = str(error)
    return "No space left" in text or "has been invalidated" in text
