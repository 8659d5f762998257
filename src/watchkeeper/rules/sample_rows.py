"""Samples that rules write: results, the ALERTS series, and stale markers for what vanished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from watchkeeper.model import METRIC_NAME, STALE_BITS, Labels, NativeHistogram, SampleBatch
from watchkeeper.rules.active_alert import ActiveAlert

Rows = dict[Labels, float | NativeHistogram]
"""One value for each series, all at one moment."""


def named(label_set: Labels, name: str, **more: str) -> Labels:
    """Return a label set as series `name`, with further labels."""
    pairs = dict(label_set)
    pairs.update(more)
    pairs[METRIC_NAME] = name
    return tuple(sorted(pairs.items()))


def alert_rows(alerts: Iterable[ActiveAlert]) -> Rows:
    """Return ALERTS and ALERTS_FOR_STATE for pending and firing alerts."""
    rows: Rows = {}
    for alert in alerts:
        if alert.is_active:
            rows[named(alert.labels, "ALERTS", alertstate=alert.state.value)] = 1.0
            rows[named(alert.labels, "ALERTS_FOR_STATE")] = alert.active_at_ns // 10**9
    return rows


def is_stale(value: float) -> bool:
    """Whether a value is the stale marker."""
    return bool(np.float64(value).view(np.int64) == STALE_BITS)


def batch(
    rows: Mapping[Labels, float | NativeHistogram], vanished: Iterable[Labels], timestamp_ms: int
) -> SampleBatch:
    """Return rows, and stale markers for series that vanished, as one batch."""
    gone = [series for series in vanished if series not in rows]
    series = [*rows, *gone]
    values = np.empty(len(series), dtype=np.float64)
    given = list(rows.values())
    values[: len(rows)] = [one.sum if isinstance(one, NativeHistogram) else one for one in given]
    values[len(rows) :].view(np.int64)[:] = STALE_BITS
    timestamps = np.full(len(series), timestamp_ms, dtype=np.int64)
    native = [one if isinstance(one, NativeHistogram) else None for one in given]
    histograms = [*native, *[None] * len(gone)] if any(native) else None
    return SampleBatch(series, timestamps, values, histograms=histograms)
