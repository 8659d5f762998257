"""The life of one alert: pending, firing, resolved (Prometheus, rules/alerting.go)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchkeeper.model import FiringAlert, Labels, labels
from watchkeeper.rules.snapshot import AlertSnapshot, AlertState

RESOLVED_RETENTION_NS = 15 * 60 * 1_000_000_000
"""How long a resolved alert is still sent, for receivers that missed it (resolvedRetention)."""


@dataclass(slots=True)
class ActiveAlert:
    """An alert from its first sample until nobody needs to hear of it any more.

    `unconfirmed_until_ns` is set on alerts found in the store at start: until then they keep
    their state although no evaluation has seen them yet.
    """

    labels: Labels
    annotations: Labels
    value: float
    active_at_ns: int
    state: AlertState = AlertState.PENDING
    fired_at_ns: int = 0
    resolved_at_ns: int | None = None
    last_sent_at_ns: int | None = None
    keep_firing_since_ns: int | None = None
    unconfirmed_until_ns: int = 0

    @property
    def is_active(self) -> bool:
        """Whether it is pending or firing."""
        return self.state is not AlertState.INACTIVE

    def seen(self, annotations: Labels, value: float, now_ns: int, for_ns: int) -> None:
        """The expression holds: take its value, and fire if it has held for long enough."""
        self.annotations, self.value = annotations, value
        self.keep_firing_since_ns = None
        self.unconfirmed_until_ns = 0
        if self.state is AlertState.PENDING and now_ns - self.active_at_ns >= for_ns:
            self.state = AlertState.FIRING
            self.fired_at_ns = now_ns

    def missing(self, now_ns: int, keep_firing_for_ns: int) -> None:
        """The expression no longer holds: resolve, unless the alert is to be kept firing."""
        if not self.is_active or now_ns < self.unconfirmed_until_ns:
            return
        if self.state is AlertState.FIRING and keep_firing_for_ns:
            if self.keep_firing_since_ns is None:
                self.keep_firing_since_ns = now_ns
            if now_ns - self.keep_firing_since_ns < keep_firing_for_ns:
                return
        if self.state is AlertState.FIRING:
            self.resolved_at_ns = now_ns
        self.state = AlertState.INACTIVE

    def is_over(self, now_ns: int) -> bool:
        """Whether it can be forgotten: never fired, or resolved long enough ago."""
        if self.is_active:
            return False
        return self.resolved_at_ns is None or now_ns - self.resolved_at_ns > RESOLVED_RETENTION_NS

    def is_due(self, now_ns: int, resend_delay_ns: int) -> bool:
        """Whether the receiver of alerts must hear of it now."""
        if self.state is AlertState.PENDING:
            return False
        if self.last_sent_at_ns is None:
            return True
        if self.resolved_at_ns is not None and self.resolved_at_ns > self.last_sent_at_ns:
            return True
        return self.last_sent_at_ns + resend_delay_ns < now_ns

    def send(
        self,
        now_ns: int,
        *,
        valid_for_ns: int,
        generator_url: str,
        external_labels: Mapping[str, str],
    ) -> FiringAlert:
        """Return it as it is handed on, good for `valid_for_ns` while it fires.

        `external_labels` are added where it has no such label itself.
        """
        self.last_sent_at_ns = now_ns
        ends_at_ns = now_ns + valid_for_ns if self.resolved_at_ns is None else self.resolved_at_ns
        shown = labels({**external_labels, **dict(self.labels)}) if external_labels else self.labels
        return FiringAlert(shown, self.annotations, self.fired_at_ns, ends_at_ns, generator_url)

    def snapshot(self) -> AlertSnapshot:
        """Return it as it stands."""
        return AlertSnapshot(
            self.labels,
            self.annotations,
            self.state,
            self.active_at_ns,
            self.value,
            self.keep_firing_since_ns,
        )
