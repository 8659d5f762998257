"""Limits on what is pushed: what lies beyond is left out, counted and told."""

from __future__ import annotations

from watchkeeper.wire.label_limits import LabelLimits
from watchkeeper.wire.otlp_metrics import DecodedMetrics


def leave_out(found: DecodedMetrics, limits: LabelLimits) -> int:
    """Take samples out whose labels are beyond the limits, and return how many."""
    broken = [limits.broken_by(series) for series in found.labels]
    reasons = [reason for reason in broken if reason]
    if reasons:
        kept = [row for row, reason in enumerate(broken) if not reason]
        found.labels = [found.labels[row] for row in kept]
        found.timestamps_ms = [found.timestamps_ms[row] for row in kept]
        found.values = [found.values[row] for row in kept]
        found.rejection = reasons[-1]
    return len(reasons)
