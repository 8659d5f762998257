"""When somebody must be told about the backend itself: whoever watches is watched.

The rules are rendered beside those of every contract, so that the backend evaluates them over
what it scrapes of itself, and a Prometheus that scrapes it does the same. Only the other can say
that the backend is gone: its scrape job is to be named `watchkeeper`.
"""

from __future__ import annotations

from watchkeeper.contract import Alert, Contract, RuleGroup, ScrapeJob, Urgency
from watchkeeper.conventions import backend

SERVICE = "watchkeeper"

_REFUSED = '{reason=~"store_full|store_failed|.*limit"}'
"""Not what senders do wrong, nor samples that come late or twice."""

_ENOUGH_IS_KNOWN = "watchkeeper_disk_free_bytes offset 3h > 0"
"""The pace of the first minutes, when everything is written for the first time, is no trend."""

ALERTS = (
    Alert(
        name="WatchkeeperDown",
        expression=f'up{{job="{SERVICE}"}} == 0',
        for_seconds=60,
        severity=Urgency.CRITICAL,
        summary="Watchkeeper does not answer",
        description=(
            "{{ $labels.instance }} has not answered for a minute: it takes nothing in, and what "
            "it says of itself is not known."
        ),
    ),
    Alert(
        name="WatchkeeperFlushFailing",
        expression="increase(watchkeeper_flush_failures_total[10m]) > 1",
        severity=Urgency.CRITICAL,
        summary="Watchkeeper cannot move data out of its log",
        description=(
            "{{ $value | humanize }} flushes failed in 10 minutes. What was acknowledged is kept "
            "in the log; when that is full, nothing more is taken in."
        ),
    ),
    Alert(
        name="WatchkeeperLogBehind",
        expression="watchkeeper_wal_lag_seconds > 3600",
        for_seconds=60,
        severity=Urgency.WARNING,
        summary="Watchkeeper's log is behind",
        description=(
            "The oldest record waits for {{ $value | humanizeDuration }} to be moved into a "
            "segment; a quarter of an hour is usual. Until then a start takes longer."
        ),
    ),
    Alert(
        name="WatchkeeperLogNearlyFull",
        expression="watchkeeper_hot_bytes / watchkeeper_hot_limit_bytes > 0.8",
        severity=Urgency.CRITICAL,
        summary="Watchkeeper will soon take nothing in",
        description=(
            "{{ $value | humanizePercentage }} of what may wait in the log does. At 100% every "
            "sender is told to try again later."
        ),
    ),
    Alert(
        name="WatchkeeperDiskNearlyFull",
        expression="watchkeeper_disk_free_bytes / watchkeeper_disk_size_bytes < 0.05",
        for_seconds=60,
        severity=Urgency.CRITICAL,
        summary="Watchkeeper's disk is nearly full",
        description=(
            "{{ $value | humanizePercentage }} of the disk is left. When it is full, every "
            "sender is refused; queries go on being answered."
        ),
    ),
    Alert(
        name="WatchkeeperDiskFillsUp",
        expression=(
            "predict_linear(watchkeeper_disk_free_bytes[6h], 86400) < 0"
            " and watchkeeper_disk_free_bytes / watchkeeper_disk_size_bytes < 0.3"
            f" and {_ENOUGH_IS_KNOWN}"
        ),
        for_seconds=3600,
        severity=Urgency.WARNING,
        summary="Watchkeeper's disk is full within a day",
        description="At the pace of the last six hours, the disk is full within 24 hours.",
    ),
    Alert(
        name="WatchkeeperDamageFound",
        expression="watchkeeper_damaged_files > 0",
        severity=Urgency.CRITICAL,
        summary="Watchkeeper found damaged files",
        description=(
            "{{ $value }} files failed their checksum and were set aside: what they held is "
            "missing from answers. The disk may be failing."
        ),
    ),
    Alert(
        name="WatchkeeperIngestRefused",
        expression=f"sum by (signal, reason) (rate(watchkeeper_refused_total{_REFUSED}[5m])) > 0",
        for_seconds=60,
        severity=Urgency.WARNING,
        summary="Watchkeeper refuses {{ $labels.signal }}",
        description=(
            "{{ $value | humanize }} {{ $labels.signal }} a second are refused: "
            "{{ $labels.reason }}."
        ),
    ),
    Alert(
        name="WatchkeeperRulesFailing",
        expression="increase(watchkeeper_rule_failures_total[5m]) > 0",
        for_seconds=60,
        severity=Urgency.CRITICAL,
        summary="Rules of {{ $labels.rule_group }} cannot be evaluated",
        description=(
            "{{ $value | humanize }} evaluations failed in 5 minutes: the group's alerts may "
            "not fire."
        ),
    ),
    Alert(
        name="WatchkeeperRulesMissed",
        expression="increase(watchkeeper_rule_evaluations_missed_total[5m]) > 0",
        for_seconds=300,
        severity=Urgency.WARNING,
        summary="Rules of {{ $labels.rule_group }} are evaluated too late",
        description=(
            "{{ $value | humanize }} evaluations were left out in 5 minutes, because the ones "
            "before had not ended."
        ),
    ),
    Alert(
        name="WatchkeeperNotificationsFailing",
        expression='increase(watchkeeper_notifications_total{outcome="failed"}[10m]) > 0',
        severity=Urgency.CRITICAL,
        summary="Notifications by {{ $labels.integration }} do not arrive",
        description="{{ $value | humanize }} notifications were not delivered in 10 minutes.",
    ),
    Alert(
        name="WatchkeeperScrapePoolDown",
        expression=(
            'watchkeeper_targets{health="up"} == 0'
            ' and ignoring (health) watchkeeper_targets{health="down"} > 0'
        ),
        for_seconds=120,
        severity=Urgency.CRITICAL,
        summary="No target of {{ $labels.scrape_job }} answers",
        description="Every scrape of {{ $labels.scrape_job }} has failed for two minutes.",
    ),
    Alert(
        name="WatchkeeperReloadFailed",
        expression="watchkeeper_config_last_reload_successful == 0",
        for_seconds=60,
        severity=Urgency.WARNING,
        summary="Watchkeeper runs on an older configuration",
        description="The configuration files cannot be used; what was read before goes on.",
    ),
)

CONTRACT = Contract(
    service=SERVICE,
    version="1",
    signals=backend.SIGNALS,
    scrape_jobs=(ScrapeJob(name=SERVICE, targets=("127.0.0.1:9400",)),),
    rule_groups=(RuleGroup(name=SERVICE, rules=ALERTS),),
)
