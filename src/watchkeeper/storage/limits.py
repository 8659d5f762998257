"""What a store may use, and what it says about itself."""

from __future__ import annotations

from dataclasses import dataclass, field

_MEBIBYTE = 1 << 20
_DAY_SECONDS = 86_400
_CENTURY_SECONDS = 36_525 * _DAY_SECONDS


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Bounds of a store. A period is one segment file of a signal.

    Retention is by age and, where a signal's `maximum_bytes` is not 0, by what its files take:
    the oldest go first, the newest never.

    `hot_bytes` or `hot_age_seconds`, whichever comes first, moves hot data into segments;
    at `maximum_hot_bytes` (segments cannot be written, say) appends raise OverloadError.
    Appends raise StoreFullError while the disk has less than `reserve_bytes` free, so that
    there is room left to move hot data into segments. Of the blocks of samples that were read,
    the last used stay decoded, up to `decoded_bytes`, and of the label sets of segments those
    that take up to `label_bytes`.
    """

    hot_bytes: int = 20 * _MEBIBYTE
    hot_age_seconds: float = 900.0
    maximum_hot_bytes: int = 256 * _MEBIBYTE
    reserve_bytes: int = 64 * _MEBIBYTE
    metric_retention_seconds: int = 15 * _DAY_SECONDS
    log_retention_seconds: int = 7 * _DAY_SECONDS
    span_retention_seconds: int = 7 * _DAY_SECONDS
    metric_maximum_bytes: int = 0
    log_maximum_bytes: int = 0
    span_maximum_bytes: int = 0
    period_seconds: int = _DAY_SECONDS
    open_segments: int = 32
    engine_memory_bytes: int = 96 * _MEBIBYTE
    engine_threads: int = 2
    decoded_bytes: int = 24 * _MEBIBYTE
    label_bytes: int = 48 * _MEBIBYTE

    @staticmethod
    def keeping_everything() -> StoreLimits:
        """Return limits under which nothing is dropped, however old or large it is."""
        return StoreLimits(
            metric_retention_seconds=_CENTURY_SECONDS,
            log_retention_seconds=_CENTURY_SECONDS,
            span_retention_seconds=_CENTURY_SECONDS,
        )


@dataclass(frozen=True, slots=True)
class DamageReport:
    """Bytes that could not be used: where, why, and where they were put aside (if they were)."""

    path: str
    reason: str
    set_aside_as: str = ""


@dataclass(frozen=True, slots=True)
class StoreStats:
    """A store at one moment. Counts are of what was kept since it was opened.

    `bytes_on_disk` goes by "metrics", "logs", "spans" and "wal"; `refused` counts samples,
    records and spans by reason: out_of_order, duplicate, too_old, store_full, overload. For
    `lag_seconds` the oldest record has waited to be moved from the log into segments. A batch
    takes its part of `batch_seconds` until it is on disk; `batches_waiting` are not yet.
    """

    samples: int = 0
    series: int = 0
    logs: int = 0
    spans: int = 0
    hot_bytes: int = 0
    hot_limit_bytes: int = 0
    lag_seconds: float = 0.0
    batches: int = 0
    batch_seconds: float = 0.0
    batches_waiting: int = 0
    disk_size_bytes: int = 0
    disk_free_bytes: int = 0
    bytes_on_disk: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    flushes: int = 0
    flush_failures: int = 0
    flush_seconds: float = 0.0
    merges: int = 0
    merge_failures: int = 0
    merge_seconds: float = 0.0
    damage: tuple[DamageReport, ...] = ()
