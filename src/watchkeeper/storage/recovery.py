"""What a store does with the write-ahead log that its last run left."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import msgspec

from watchkeeper.model import Labels
from watchkeeper.storage import log_rows, wal_format
from watchkeeper.storage.limits import DamageReport
from watchkeeper.storage.metric_store import DurableMetricStore
from watchkeeper.storage.row_tiers import RowTiers
from watchkeeper.storage.sample_files import SampleFiles
from watchkeeper.storage.wal_format import RecordKind


def set_aside_aliens(directory: Path, damage: list[DamageReport]) -> None:
    """Move files that are not a log, whatever their names say, out of the way.

    Raises StorageError if a newer Watchkeeper wrote one of them.
    """
    for path in wal_format.log_files(directory):
        if wal_format.is_alien(path):
            aside = path.with_suffix(".damaged")
            path.rename(aside)
            reason = "the file header is not that of a log; no record was read"
            damage.append(DamageReport(str(path), reason, str(aside)))


def next_sequence(directory: Path, samples: SampleFiles, rows: Iterable[RowTiers]) -> int:
    """Return a sequence above all that the log or, should it be lost, a segment holds."""
    files = wal_format.log_files(directory)
    for path in reversed(files):
        # The last file is made ready while the one before still gets records.
        last = max((record.sequence for record in wal_format.read_file(path, [])), default=-1)
        if last >= 0:
            return max(int(files[-1].stem), last + 1)
    if files:
        return int(files[-1].stem)
    return max(samples.last_sequence(), *(tiers.last_sequence() for tiers in rows)) + 1


def replay(
    directory: Path,
    metrics: DurableMetricStore,
    logs: RowTiers,
    spans: RowTiers,
    damage: list[DamageReport],
) -> None:
    """Put what the log holds and segments do not into hot memory, in its order."""
    known: dict[int, Labels] = {}
    for path in wal_format.log_files(directory):
        for record in wal_format.read_file(path, damage):
            try:
                if record.kind in (RecordKind.SAMPLES, RecordKind.SAMPLES_WITH_LABELS):
                    lost = metrics.replay(record.sequence, record.payload, known)
                    if lost:
                        reason = f"{lost} samples name series whose definition was damaged"
                        damage.append(DamageReport(str(path), reason))
                elif record.kind is RecordKind.LOGS:
                    logs.replay(record.sequence, log_rows.unpack(record.payload))
                else:
                    spans.replay(record.sequence, log_rows.unpack(record.payload))
            except (msgspec.DecodeError, struct.error, ValueError, LookupError) as error:
                reason = f"record {record.sequence} cannot be understood: {error}"
                damage.append(DamageReport(str(path), reason))
