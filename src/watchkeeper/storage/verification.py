"""Reading a store from end to end, every checksum with it, and changing nothing in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.errors import StorageError, StoreDamagedError
from watchkeeper.storage import backup, part_index, sample_reading, store_format, wal_format
from watchkeeper.storage.directory_lock import DirectoryLock
from watchkeeper.storage.engine import Engine, EngineError, read_through
from watchkeeper.storage.limits import DamageReport, StoreLimits
from watchkeeper.storage.part import INDEX_SUFFIX, SUFFIX
from watchkeeper.storage.sample_file import SUFFIX as SAMPLES_SUFFIX
from watchkeeper.storage.sample_file import SampleFile


@dataclass(frozen=True, slots=True)
class Verification:
    """What was read, and what of it is damaged."""

    segments: int
    rows: int
    log_records: int
    size_bytes: int
    damage: tuple[DamageReport, ...]


def verify(directory: Path, limits: StoreLimits | None = None) -> Verification:
    """Read everything in a store's directory that no process has open.

    Raises StorageError if one has, or if there is no store of a format that can be read.
    """
    if not (directory / "wal").is_dir() and not (directory / "metrics").is_dir():
        raise StorageError(f"there is no store in {directory}: name the directory given to --data")
    try:
        lock = DirectoryLock(directory)
        try:
            return _verify(directory, limits or StoreLimits())
        finally:
            lock.release()
    except OSError as error:
        raise StorageError(f"{directory} cannot be read: {error}") from error


def _verify(directory: Path, limits: StoreLimits) -> Verification:
    store_format.is_current(directory)
    damage = backup.check(directory)
    records, size_bytes = 0, 0
    for path in wal_format.log_files(directory / "wal"):
        wal_format.is_alien(path)
        records += sum(1 for _ in wal_format.read_file(path, damage))
        size_bytes += path.stat().st_size
    engine = Engine(limits, directory / "spill")
    try:
        paths = [path for name in ("metrics", "logs", "spans") for path in _files(directory / name)]
        for index in sorted(directory.glob(f"*/*{INDEX_SUFFIX}")):
            size_bytes += index.stat().st_size
            if reason := part_index.damage(index):
                damage.append(DamageReport(str(index), reason))
        rows = 0
        for path in paths:
            size_bytes += path.stat().st_size
            try:
                rows += _read_segment(engine, path)
            except (EngineError, StoreDamagedError) as error:
                damage.append(DamageReport(str(path), str(error)))
    finally:
        engine.close()
    for path in sorted((directory / "metrics").glob(f"*{SAMPLES_SUFFIX}")):
        paths.append(path)
        size_bytes += path.stat().st_size
        try:
            rows += sample_reading.read_everything(SampleFile.open(path))
        except StoreDamagedError as error:
            damage.append(DamageReport(str(path), str(error)))
    return Verification(len(paths), rows, records, size_bytes, tuple(damage))


def _files(directory: Path) -> Iterator[Path]:
    # Stores that were not brought up to date yet have DuckDB files of whole periods.
    yield from sorted((*directory.glob("*.duckdb"), *directory.glob(f"*{SUFFIX}")))


def _read_segment(engine: Engine, path: Path) -> int:
    """Return how many rows a file has. Raises EngineError, StoreDamagedError."""
    catalog = engine.attach(path, read_only=True)
    try:
        with engine.cursor() as cursor:
            tables = cursor.execute(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = ?", [catalog]
            ).fetchall()
            return sum(read_through(cursor, f"{catalog}.{name}") for (name,) in tables)
    finally:
        engine.detach(catalog)
