"""The store of one directory: three signals behind one write-ahead log.

directory/lock            who has it
directory/wal/*.wal       acknowledged, not in segments yet
directory/metrics/*.samples    samples of a stretch of the log and a period
directory/logs/*.part, spans/*.part    rows of a stretch of the log and a period, and their index
directory/format          which version everything has
directory/metadata.json   what targets say about metric families
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import StorageError, WatchkeeperError
from watchkeeper.storage import (
    allocator,
    backup,
    log_rows,
    recovery,
    row_migration,
    sample_migration,
    span_rows,
    store_format,
)
from watchkeeper.storage.decoded_blocks import DecodedBlocks
from watchkeeper.storage.directory_lock import DirectoryLock
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.engine import Engine, EngineError
from watchkeeper.storage.export import Exported, export
from watchkeeper.storage.gate import Gate
from watchkeeper.storage.journal import Journal
from watchkeeper.storage.label_tables import LabelTables
from watchkeeper.storage.limits import DamageReport, StoreLimits, StoreStats
from watchkeeper.storage.log_store import DurableLogStore
from watchkeeper.storage.metric_store import DurableMetricStore
from watchkeeper.storage.part_files import PartFiles
from watchkeeper.storage.row_table import RowTable
from watchkeeper.storage.row_tiers import RowTiers
from watchkeeper.storage.sample_files import SampleFiles
from watchkeeper.storage.sample_reading import SampleReader
from watchkeeper.storage.span_store import DurableSpanStore
from watchkeeper.storage.wal import WriteAheadLog

_LOG = logging.getLogger(__name__)
_NS_PER_SECOND = 1_000_000_000
_LOOK_EVERY_SECONDS = 1.0
_TRY_AGAIN_NS = 30 * _NS_PER_SECOND
_LATE_NS = 3600 * _NS_PER_SECOND


@dataclass(slots=True)
class _Tally:
    flushes: int = 0
    failures: int = 0
    seconds: float = 0.0
    merges: int = 0
    merge_failures: int = 0
    merge_seconds: float = 0.0
    damage: list[DamageReport] = field(default_factory=list)


class Store:
    """Metrics, logs and spans on disk; made by `Store.open`, ended by `close`."""

    metrics: DurableMetricStore
    logs: DurableLogStore
    spans: DurableSpanStore

    def __init__(self, directory: Path, clock: Clock, limits: StoreLimits, disk: Disk) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = DirectoryLock(directory)
        self._directory, self._clock, self._limits = directory, clock, limits
        self._disk = disk
        self._flushing = threading.Lock()
        # Steps of merges pass it together, a flush alone: it never waits for a merge to end, and
        # the two need memory and time one after the other.
        self._turns = Gate()
        self._tally = _Tally()
        self._many_rows_wait = threading.Event()
        allocator.share_arenas()
        try:
            self._engine = Engine(limits, directory / "spill")
        except BaseException:
            self._lock.release()
            raise
        self._build()
        self._flushed_at_ns = clock.monotonic_ns()
        self._stopping = threading.Event()
        self._flusher = threading.Thread(
            target=self._flush_when_due, name="watchkeeper-flush", daemon=True
        )
        self._merger = threading.Thread(
            target=self._merge_when_due, name="watchkeeper-merge", daemon=True
        )
        self._inserter = threading.Thread(
            target=self._insert_when_many, name="watchkeeper-insert", daemon=True
        )
        for thread in (self._flusher, self._merger, self._inserter):
            thread.start()

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        clock: Clock | None = None,
        limits: StoreLimits | None = None,
        disk: Disk | None = None,
    ) -> Store:
        """Open or make the store of a directory, with everything that was ever acknowledged.

        An older format is migrated, what is damaged set aside. Raises StorageError, and nothing
        else, if another process has it, a newer Watchkeeper wrote it, or it cannot be used.
        """
        try:
            return cls(directory, clock or SystemClock(), limits or StoreLimits(), disk or Disk())
        except WatchkeeperError:
            raise
        except OSError as error:
            raise StorageError(
                f"the store in {directory} cannot be opened ({error}): see to the permissions and "
                "the room there, or choose another directory"
            ) from error
        except Exception as error:
            raise StorageError(
                f"the store in {directory} cannot be opened ({type(error).__name__}: {error}): "
                "keep a copy of it, and choose another directory meanwhile"
            ) from error

    def flush(self) -> None:
        """Move all hot data into segments and drop segments past their retention.

        Raises StorageError if something could not be moved; it stays readable and durable.
        """
        with self._flushing:
            began_ns = self._clock.monotonic_ns()
            try:
                with self._turns.alone():
                    self._flush()
                self._tally.flushes += 1
            except BaseException as error:
                self._tally.failures += 1
                if isinstance(error, OSError | EngineError):
                    reason = f"the store in {self._directory} could not flush: {error}"
                    raise StorageError(reason) from error
                raise
            finally:
                self._flushed_at_ns = self._clock.monotonic_ns()
                self._tally.seconds += (self._flushed_at_ns - began_ns) / _NS_PER_SECOND

    def merge(self) -> None:
        """Make one of several small segments, until none are to be merged.

        Raises StorageError if some could not be; they stay as they are.
        """
        closed_before_ns = self._clock.time_ns() - self._limits.period_seconds * _NS_PER_SECOND
        for signal in (self.metrics, self.logs.tiers, self.spans.tiers):
            merged = True
            while merged and not self._stopping.is_set():
                began_ns = self._clock.monotonic_ns()
                try:
                    merged = signal.merge(
                        closed_before_ns=closed_before_ns - _LATE_NS, turn=self._turns.shared
                    )
                except BaseException:
                    self._tally.merge_failures += 1
                    raise
                finally:
                    ended_ns = self._clock.monotonic_ns()
                    self._tally.merge_seconds += (ended_ns - began_ns) / _NS_PER_SECOND
                if merged:
                    self._tally.merges += 1
                    allocator.give_back()

    def backup(self, directory: Path) -> None:
        """Copy the store, everything acknowledged until now, to a directory; others go on.

        A store opened there has what this one has now. Raises StorageError.
        """
        self.flush()
        with self._flushing:
            beside = (self._directory / "metadata.json", self._directory / store_format.FORMAT_FILE)
            files = [path for path in beside if path.exists()]
            logs, spans = self.logs.tiers.view, self.spans.tiers.view
            try:
                with self.metrics.files.held() as samples, logs.held() as one, spans.held() as two:
                    files += [file.path for file in samples]
                    files += [path for part in (*one.parts, *two.parts) for path in part.files]
                    backup.copy(self._directory, files, directory, self._disk)
                for name in ("wal", "metrics"):
                    (directory / name).mkdir(mode=0o700, exist_ok=True)
            except OSError as error:
                raise StorageError(
                    f"the backup to {directory} is not complete ({error}): remove it, see to the "
                    "room there, and begin again"
                ) from error

    def export(self, directory: Path) -> Exported:
        """Write everything acknowledged until now as Parquet to a new directory.

        Raises StorageError.
        """
        self.flush()
        return export(self._engine, directory, self.metrics, self.logs.tiers, self.spans.tiers)

    def stats(self) -> StoreStats:
        """Return the store as it is now."""
        on_disk = {
            "metrics": self.metrics.files.size_bytes(),
            "logs": self.logs.tiers.size_bytes(),
            "spans": self.spans.tiers.size_bytes(),
        }
        way_in, room = self._journal.stats(), self._disk.room(self._directory)
        return StoreStats(
            samples=self.metrics.samples,
            series=self.metrics.series_count(),
            logs=self.logs.tiers.rows,
            spans=self.spans.tiers.rows,
            hot_bytes=self._journal.log.size_bytes,
            bytes_on_disk=on_disk | {"wal": self._journal.log.size_bytes},
            hot_limit_bytes=self._limits.maximum_hot_bytes,
            lag_seconds=way_in.lag_seconds,
            batches=way_in.batches,
            batch_seconds=way_in.seconds,
            batches_waiting=way_in.waiting,
            disk_size_bytes=room.size_bytes,
            disk_free_bytes=room.free_bytes,
            refused=way_in.refused,
            flushes=self._tally.flushes,
            flush_failures=self._tally.failures,
            flush_seconds=self._tally.seconds,
            merges=self._tally.merges,
            merge_failures=self._tally.merge_failures,
            merge_seconds=self._tally.merge_seconds,
            damage=tuple(self._tally.damage),
        )

    def close(self) -> None:
        """Let the directory go; hot data stays in the log. May be called again."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._many_rows_wait.set()
        for thread in (self._flusher, self._merger, self._inserter):
            thread.join()
        with self._flushing, self._journal.gate.alone():
            self._journal.log.close()
            self._engine.close()
            self._lock.release()

    def _build(self) -> None:
        try:
            current = store_format.is_current(self._directory)
            (self._directory / backup.MANIFEST).unlink(missing_ok=True)
            metrics = SampleFiles(
                self._directory / "metrics",
                period_ns=self._limits.period_seconds * _NS_PER_SECOND,
                disk=self._disk,
                damage=self._tally.damage,
            )
            logs = self._row_tiers(log_rows.LOGS, migrate=not current)
            spans = self._row_tiers(span_rows.SPANS, migrate=not current)
            if not current:
                sample_migration.migrate(self._engine, metrics, self._tally.damage)
                store_format.note(self._directory, self._disk)
            directory = self._directory / "wal"
            directory.mkdir(mode=0o700, exist_ok=True)
            numbered = recovery.next_sequence(directory, metrics, (logs, spans))
            recovery.set_aside_aliens(directory, self._tally.damage)
            log = WriteAheadLog(
                directory,
                next_sequence=numbered,
                disk=self._disk,
                reserve_bytes=self._limits.reserve_bytes,
            )
            self._journal = Journal(log, self._limits, self._clock)
            self.metrics = DurableMetricStore(
                self._journal,
                metrics,
                self._directory / "metadata.json",
                SampleReader(
                    DecodedBlocks(self._limits.decoded_bytes),
                    LabelTables(self._limits.label_bytes),
                    metrics.report,
                ),
            )
            self.logs = DurableLogStore(self._journal, logs)
            self.spans = DurableSpanStore(self._journal, spans)
            self.metrics.recall(self._now_ms())
            recovery.replay(directory, self.metrics, logs, spans, self._tally.damage)
        except BaseException:
            self._engine.close()
            self._lock.release()
            raise

    def _row_tiers(self, table: RowTable, *, migrate: bool) -> RowTiers:
        files = PartFiles(self._engine, self._directory / table.name, table, self._disk)
        if migrate:
            row_migration.migrate(self._engine, files, table, self._tally.damage)
        return RowTiers(
            self._engine,
            files,
            table,
            period_ns=self._limits.period_seconds * _NS_PER_SECOND,
            open_at_most=self._limits.open_segments,
            many_wait=self._many_rows_wait,
            damage=self._tally.damage,
        )

    def _now_ms(self) -> int:
        return self._clock.time_ns() // 1_000_000

    def _flush(self) -> None:
        self._drop_old()
        self._require_room()
        oldest_ns: int | None = None
        try:
            for tiers in (self.logs.tiers, self.spans.tiers):
                # Most of it before the gate is closed to those who append.
                tiers.insert_waiting()
            self._journal.log.prepare()
            with self._journal.gate.alone():
                sequence, oldest_ns = self._journal.rotate()
                self.metrics.freeze(self._now_ms())
                self.logs.tiers.freeze()
                self.spans.tiers.freeze()
            failures = []
            for signal in (self.metrics, self.logs.tiers, self.spans.tiers):
                try:
                    signal.write_frozen(sequence)
                    allocator.give_back()
                except StorageError as error:
                    failures.append(str(error))
            if failures:
                raise StorageError("; ".join(failures))
        except BaseException:
            self._journal.still_waiting(oldest_ns)
            raise
        self._journal.log.discard(sequence)

    def _require_room(self) -> None:
        """Segments take less than their log does: with that much room, a write gets through."""
        free, needed = self._disk.room(self._directory).free_bytes, self._journal.log.size_bytes
        if free < needed:
            raise StorageError(
                f"{free} bytes are free under {self._directory}, and a flush may need {needed}: "
                "free space or shorten the retention"
            )

    def _drop_old(self) -> None:
        now_ns, limits = self._clock.time_ns(), self._limits
        for signal, seconds, maximum_bytes in (
            (self.metrics.files, limits.metric_retention_seconds, limits.metric_maximum_bytes),
            (self.logs.tiers, limits.log_retention_seconds, limits.log_maximum_bytes),
            (self.spans.tiers, limits.span_retention_seconds, limits.span_maximum_bytes),
        ):
            signal.drop_before(now_ns - seconds * _NS_PER_SECOND)
            if maximum_bytes:
                signal.drop_above(maximum_bytes)

    def _flush_when_due(self) -> None:
        failed_at_ns: int | None = None
        while not self._stopping.wait(_LOOK_EVERY_SECONDS):
            now_ns = self._clock.monotonic_ns()
            age_ns = now_ns - self._flushed_at_ns
            old = age_ns >= self._limits.hot_age_seconds * _NS_PER_SECOND
            if not old and self._journal.log.size_bytes < self._limits.hot_bytes:
                continue
            if failed_at_ns is not None and now_ns - failed_at_ns < _TRY_AGAIN_NS:
                continue
            try:
                self.flush()
                failed_at_ns = None
            except Exception as error:  # noqa: BLE001  a thread that ended would never move anything
                failed_at_ns = self._clock.monotonic_ns()
                _tell("hot data stays in the log, to be moved later", error)

    def _insert_when_many(self) -> None:
        while self._many_rows_wait.wait() and not self._stopping.is_set():
            self._many_rows_wait.clear()
            for tiers in (self.logs.tiers, self.spans.tiers):
                try:
                    tiers.insert_waiting()
                except Exception as error:  # noqa: BLE001  as above
                    _tell("rows wait to be moved into the engine by a reader", error)

    def _merge_when_due(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_SECONDS):
            try:
                self.merge()
            except Exception as error:  # noqa: BLE001  as above
                _tell("small parts stay as they are, to be merged later", error)
                self._stopping.wait(_TRY_AGAIN_NS / _NS_PER_SECOND)


def _tell(what: str, error: Exception) -> None:
    """Log what is tried again; of an error that nobody foresaw, where it came from as well."""
    unforeseen = not isinstance(error, StorageError | EngineError | OSError)
    _LOG.warning("%s: %s", what, error, exc_info=error if unforeseen else None)
