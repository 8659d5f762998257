"""What signals weigh at the worst: series, and bytes a day."""

from __future__ import annotations

from watchkeeper.contract import Contract, Metric

DAY_SECONDS = 86_400
SAMPLE_BYTES = 1.5
"""On disk, at the worst of what `make bench-store` measures."""
SPAN_BYTES, LOG_LINE_BYTES = 55, 75
UNITS = ("B", "kB", "MB", "GB", "TB")


def bytes_a_day(contract: Contract, metric: Metric) -> float:
    """Return the bytes of a day of samples of every series that one process can have."""
    return metric.most_series * DAY_SECONDS / contract.scrape_interval_seconds * SAMPLE_BYTES


def shown_bytes(count: float) -> str:
    """Return a number of bytes in the decimal unit that suits it."""
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} {UNITS[-1]}"
