"""Every check that there is, by family."""

from __future__ import annotations

from watchkeeper.check import (
    absence,
    alerts,
    dashboards,
    exceptions,
    files,
    inhibitions,
    naming,
    panels,
    routing,
    secrets,
    signals,
    style,
    texts,
    thresholds,
    types,
    usage,
    vectors,
)
from watchkeeper.check.check import Check

CHECKS: tuple[Check, ...] = (
    *files.CHECKS,
    *style.CHECKS,
    *signals.CHECKS,
    *types.CHECKS,
    *vectors.CHECKS,
    *thresholds.CHECKS,
    *absence.CHECKS,
    *alerts.CHECKS,
    *texts.CHECKS,
    *routing.CHECKS,
    *inhibitions.CHECKS,
    *dashboards.CHECKS,
    *panels.CHECKS,
    *naming.CHECKS,
    *usage.CHECKS,
    *secrets.CHECKS,
    *exceptions.CHECKS,
)

BY_ID = {check.id: check for check in CHECKS}
