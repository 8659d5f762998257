"""What an SLO stands for: recording rules for every window, and alerts on how fast it burns.

Names of series are those of sloth, whose dashboards therefore fit. Unlike there, long windows
weigh every event alike: they add up events and do not average ratios. Without traffic the error
ratio is 0 and never NaN; without any series of the events it is absent.
"""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.contract.alert import RUNBOOKS, Alert, RecordingRule, RuleGroup, Urgency
from watchkeeper.contract.burn_rate import DAY_SECONDS, BurnRate, window_name
from watchkeeper.contract.slo import SLO

BASE_SECONDS = 300
HOUR_SECONDS = 3600
LONGEST_READ_SECONDS = HOUR_SECONDS
"""Windows up to here are read from the events themselves. Longer ones are added up from recorded
increases of five minutes that lie end to end."""
INTERVAL_SECONDS = 30
DAYS_INTERVAL_SECONDS = 120
"""Windows of days move slowly and read much; below Prometheus' lookback of five minutes."""


def slo_rule_groups(slo: SLO, service: str) -> tuple[RuleGroup, ...]:
    """Return the groups: what changes within minutes, and what reads days."""
    rules = _Rules(slo, service)
    return (
        RuleGroup(
            name=f"slo-{slo.name}",
            rules=tuple(rules.of_hours()),
            interval_seconds=INTERVAL_SECONDS,
        ),
        RuleGroup(
            name=f"slo-{slo.name}-days",
            rules=tuple(rules.of_days()),
            interval_seconds=DAYS_INTERVAL_SECONDS,
        ),
    )


class _Rules:
    """Writes the rules of one SLO."""

    def __init__(self, slo: SLO, service: str) -> None:
        self._slo = slo
        self._labels = {"slo": slo.name, "service": service}
        windows = {seconds for limb in slo.burn_rates for seconds in _windows(limb)}
        self._windows = sorted(windows | {BASE_SECONDS, HOUR_SECONDS, slo.window_seconds})
        self._guarded = {limb.long_seconds for limb in slo.burn_rates}

    def of_hours(self) -> Iterator[Alert | RecordingRule]:
        """Yield the windows below a day and the alerts that need no other."""
        indicator = self._slo.indicator
        for step in (BASE_SECONDS, HOUR_SECONDS):
            window = window_name(step)
            yield self._record(f"slo:bad_events:increase{window}", indicator.bad_events(window))
            yield self._record(f"slo:events:increase{window}", indicator.events(window))
        for seconds in self._windows:
            if seconds < DAY_SECONDS:
                yield from self._window(seconds)
        yield self._record("slo:objective:ratio", f"vector({self._slo.objective:g})")
        yield self._record(
            "slo:current_burn_rate:ratio", f"{self._ratio(BASE_SECONDS)} / {self._slo.budget:g}"
        )
        yield from self._alerts(days=False)

    def of_days(self) -> Iterator[Alert | RecordingRule]:
        """Yield the windows of days, what is left of the budget, and the alerts on days."""
        slo = self._slo
        for seconds in self._windows:
            if seconds >= DAY_SECONDS:
                yield from self._window(seconds)
        yield self._record(
            "slo:period_burn_rate:ratio", f"{self._ratio(slo.window_seconds)} / {slo.budget:g}"
        )
        remaining = "slo:period_error_budget_remaining:ratio"
        yield self._record(remaining, f"1 - {self._select('slo:period_burn_rate:ratio')}")
        pace = f"{self._ratio(HOUR_SECONDS)} / {slo.budget:g}"
        lasts = f"clamp_min({self._select(remaining)}, 0) * {slo.window_seconds} / ({pace} > 0)"
        yield self._record(
            "slo:error_budget_exhaustion:seconds",
            f"clamp_max({lasts}, {slo.window_seconds}) or 0 * {pace} + {slo.window_seconds}",
        )
        yield from self._alerts(days=True)

    def _window(self, seconds: int) -> Iterator[RecordingRule]:
        """Yield the error ratio of a window, and its events where a limb must count them."""
        window = window_name(seconds)
        if seconds in (BASE_SECONDS, HOUR_SECONDS):
            bad = self._select(f"slo:bad_events:increase{window}")
            events = self._select(f"slo:events:increase{window}")
        elif seconds < LONGEST_READ_SECONDS:
            bad = f"({self._slo.indicator.bad_events(window)})"
            events = self._slo.indicator.events(window)
        else:
            bad, events = (self._added_up(name, seconds) for name in ("bad_events", "events"))
            if seconds in self._guarded:
                yield self._record(f"slo:events:increase{window}", events)
                events = self._select(f"slo:events:increase{window}")
        yield self._record(
            f"slo:sli_error:ratio_rate{window}", f"{bad} / ({events} > 0) or 0 * {events}"
        )

    def _added_up(self, name: str, seconds: int) -> str:
        step = window_name(BASE_SECONDS)
        recorded = self._select(f"slo:{name}:increase{step}")
        return f"sum_over_time({recorded}[{window_name(seconds)}:{step}])"

    def _alerts(self, *, days: bool) -> Iterator[Alert]:
        for severity in self._slo.severities:
            limbs = [limb for limb in self._slo.burn_rates if limb.severity is severity]
            if any(limb.long_seconds >= DAY_SECONDS for limb in limbs) == days:
                yield self._alert(severity, limbs)

    def _alert(self, severity: Urgency, limbs: list[BurnRate]) -> Alert:
        slo = self._slo
        pages = severity is Urgency.CRITICAL
        return Alert(
            name=slo.alert_name(severity),
            expression=" or ".join(f"({self._limb(limb)})" for limb in limbs),
            severity=severity,
            summary=f"The error budget of {slo.name} burns {'fast' if pages else 'slowly'}",
            description=(
                f"{{{{ $value | humanizePercentage }}}} of the events were bad:"
                f" {slo.description} ({slo.objective * 100:g} % over {slo.window_days} days)"
            ),
            runbook=slo.runbook or f"{RUNBOOKS}#slo-{slo.name}",
            drill=slo.drill if pages else "",
        )

    def _limb(self, limb: BurnRate) -> str:
        threshold = f"{limb.factor(self._slo.window_days):g} * {self._slo.budget:g}"
        events = self._select(f"slo:events:increase{window_name(limb.long_seconds)}")
        guard = f"{events} >= {self._slo.minimum_events}"
        both = [f"{self._ratio(seconds)} > {threshold}" for seconds in _windows(limb)]
        return " and ".join([*both, guard] if self._slo.minimum_events else both)

    def _ratio(self, seconds: int) -> str:
        return self._select(f"slo:sli_error:ratio_rate{window_name(seconds)}")

    def _select(self, name: str) -> str:
        return f'{name}{{slo="{self._slo.name}"}}'

    def _record(self, name: str, expression: str) -> RecordingRule:
        return RecordingRule(name=name, expression=expression, labels=self._labels)


def _windows(limb: BurnRate) -> tuple[int, int]:
    return limb.long_seconds, limb.short_seconds
