"""Evaluates rule groups, each at its moments, and hands on what they find."""

from __future__ import annotations

import asyncio
import logging
import urllib.parse
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from watchkeeper.clock import Clock
from watchkeeper.errors import WatchkeeperError
from watchkeeper.model import Labels
from watchkeeper.ports import AlertSink, Querier, SampleSink, SeriesSource
from watchkeeper.rules.evaluation import AlertingState, RecordingState, RuleState
from watchkeeper.rules.expansion import Surroundings
from watchkeeper.rules.pending_rows import PendingRows
from watchkeeper.rules.restore import restore
from watchkeeper.rules.rule import RecordingRule, RuleGroup
from watchkeeper.rules.sample_rows import alert_rows
from watchkeeper.rules.schedule import next_slot_ns, offset_ns
from watchkeeper.rules.snapshot import GroupSnapshot, GroupStatistics, Health

LOGGER = logging.getLogger(__name__)

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """How rules are evaluated.

    `interval_seconds` is for groups that name none. A firing alert is sent again after
    `resend_delay_seconds`. `external_url` is where people find this instance.
    """

    interval_seconds: float = 60.0
    resend_delay_seconds: float = 60.0
    external_url: str = ""
    external_labels: Mapping[str, str] = field(default_factory=dict)


class Evaluator:
    """All rule groups over one querier.

    Evaluation itself is synchronous (`evaluate_group`) and may run in any thread, but a group
    must not be evaluated twice at once. `history` gives alerts of an earlier process back.
    """

    def __init__(
        self,
        groups: Iterable[RuleGroup],
        querier: Querier,
        samples: SampleSink,
        alerts: AlertSink,
        *,
        clock: Clock,
        history: SeriesSource | None = None,
        settings: EvaluationSettings | None = None,
    ) -> None:
        self._settings = settings or EvaluationSettings()
        self._clock = clock
        self._samples = samples
        self._alerts = alerts
        self._history = history
        surroundings = Surroundings(
            querier, self._settings.external_labels, self._settings.external_url
        )
        self._groups = [_GroupState(group, surroundings, self._settings) for group in groups]

    def groups(self) -> tuple[GroupSnapshot, ...]:
        """Return every group as its last evaluation left it."""
        return tuple(state.published for state in self._groups)

    def statistics(self) -> tuple[GroupStatistics, ...]:
        """Return what the evaluations have come to, by group."""
        return tuple(state.statistics() for state in self._groups)

    def evaluate_group(self, group: RuleGroup, now_ns: int) -> None:
        """Evaluate the rules of one group in order, all at `now_ns`. Never raises for a rule."""
        for state in self._groups:
            if state.group is group:
                self._evaluate(state, now_ns)
                return
        raise ValueError(f"group {group.name!r} does not belong to this evaluator")

    async def run(self, *, sleep: Sleep = asyncio.sleep) -> None:
        """Evaluate every group at its moments until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for state in self._groups:
                tasks.create_task(self._run_group(state, sleep))

    async def _run_group(self, state: _GroupState, sleep: Sleep) -> None:
        slot_ns = next_slot_ns(self._clock.time_ns(), state.interval_ns, state.offset_ns)
        while True:
            await sleep(max(0.0, (slot_ns - self._clock.time_ns()) / 1e9))
            now_ns = self._clock.time_ns()
            if now_ns < slot_ns:
                # A clock that was set back must not make the watch wait until it catches up.
                slot_ns = min(slot_ns, next_slot_ns(now_ns, state.interval_ns, state.offset_ns))
                continue
            await self._evaluate_in_thread(state, slot_ns)
            late = max(0, (self._clock.time_ns() - slot_ns) // state.interval_ns)
            state.missed += max(0, late - 1)
            slot_ns += max(1, late) * state.interval_ns

    async def _evaluate_in_thread(self, state: _GroupState, now_ns: int) -> None:
        """Evaluate a group; who cancels waits for its end, since a thread cannot be stopped."""
        evaluation = asyncio.create_task(asyncio.to_thread(self._evaluate, state, now_ns))
        try:
            await asyncio.shield(evaluation)
        except asyncio.CancelledError:
            await evaluation
            raise

    def _evaluate(self, state: _GroupState, now_ns: int) -> None:
        started_ns = self._clock.monotonic_ns()
        if state.evaluations == 0:
            self._restore(state, now_ns)
        pending = PendingRows(self._samples, now_ns // 1_000_000)
        for position, rule in enumerate(state.group.rules):
            if pending.are_read_by(rule):
                self._write(state, pending)
            self._evaluate_rule(state, position, now_ns, pending)
        self._write(state, pending)
        state.evaluations += 1
        state.finish(now_ns, (self._clock.monotonic_ns() - started_ns) / 1e9)

    def _restore(self, state: _GroupState, now_ns: int) -> None:
        if self._history is None:
            return
        confirm_within_ns = max(2 * state.interval_ns, 60_000_000_000)
        for position, rule in enumerate(state.rules):
            if not isinstance(rule, AlertingState):
                continue
            try:
                found = restore(rule.rule, self._history, now_ns, confirm_within_ns)
            except Exception as error:  # noqa: BLE001 - to watch without a past is to watch
                LOGGER.warning(
                    "alerts of %s before the start are not known: %s", rule.rule.name, error
                )
                continue
            rule.adopt(found)
            state.written[position] = set(alert_rows(rule.alerts()))

    def _evaluate_rule(
        self, state: _GroupState, position: int, now_ns: int, pending: PendingRows
    ) -> None:
        rule = state.rules[position]
        started_ns = self._clock.monotonic_ns()
        rule.health, rule.last_error = Health.OK, ""
        try:
            rows = rule.evaluate(now_ns, state.group.limit)
            if pending.hold(rows):
                self._write(state, pending)
            vanished = state.written[position].difference(rows)
            pending.put(position, state.group.rules[position], rows, vanished)
        except Exception as error:  # noqa: BLE001 - one broken rule must not end the watch
            self._failed(state, rule, error)
        try:
            self._send(state, rule, now_ns)
        except Exception as error:  # noqa: BLE001 - nor must whoever takes the alerts
            self._failed(state, rule, error)
        rule.last_evaluation_ns = now_ns
        rule.evaluation_seconds = (self._clock.monotonic_ns() - started_ns) / 1e9

    def _failed(self, state: _GroupState, rule: RuleState, error: Exception) -> None:
        state.failures += 1
        rule.health = Health.ERROR
        rule.last_error = str(error) if isinstance(error, WatchkeeperError) else repr(error)

    def _write(self, state: _GroupState, pending: PendingRows) -> None:
        """Write what waits; where that fails, it is the error of every rule that gave some."""
        waiting = pending.by_position
        try:
            pending.write()
        except Exception as error:  # noqa: BLE001 - a full disk must not end the watch
            pending.forget()
            for position in waiting:
                self._failed(state, state.rules[position], error)
            return
        for position, rows in waiting.items():
            state.written[position] = set(rows)

    def _send(self, state: _GroupState, rule: RuleState, now_ns: int) -> None:
        resend_ns = round(self._settings.resend_delay_seconds * 1e9)
        valid_for_ns = 4 * max(resend_ns, state.interval_ns)
        waiting = [alert for alert in rule.alerts() if alert.is_due(now_ns, resend_ns)]
        if not waiting:
            return
        url = self._generator_url(rule)
        self._alerts.put(
            [
                alert.send(
                    now_ns,
                    valid_for_ns=valid_for_ns,
                    generator_url=url,
                    external_labels=self._settings.external_labels,
                )
                for alert in waiting
            ]
        )

    def _generator_url(self, rule: RuleState) -> str:
        expression = rule.snapshot().expression
        query = urllib.parse.urlencode({"g0.expr": expression, "g0.tab": "1"})
        return f"{self._settings.external_url.rstrip('/')}/graph?{query}"


class _GroupState:
    """A group between evaluations. `written` holds the series that each rule wrote last."""

    def __init__(
        self, group: RuleGroup, surroundings: Surroundings, settings: EvaluationSettings
    ) -> None:
        self.group = group
        self.interval_ns = round((group.interval_seconds or settings.interval_seconds) * 1e9)
        self.offset_ns = offset_ns(group.file, group.name, self.interval_ns)
        self.rules: list[RuleState] = [
            RecordingState(rule, surroundings)
            if isinstance(rule, RecordingRule)
            else AlertingState(rule, surroundings)
            for rule in group.rules
        ]
        self.written: list[set[Labels]] = [set() for _ in self.rules]
        self.evaluations = self.failures = self.missed = 0
        self.last_evaluation_ns = 0
        self.duration_seconds = 0.0
        self.published = self._snapshot()

    def finish(self, now_ns: int, duration_seconds: float) -> None:
        """Note the end of an evaluation and publish what it found."""
        self.last_evaluation_ns = now_ns
        self.duration_seconds = duration_seconds
        self.published = self._snapshot()

    def statistics(self) -> GroupStatistics:
        return GroupStatistics(
            self.group.name,
            self.group.file,
            self.evaluations,
            self.failures,
            self.missed,
            self.duration_seconds,
            self.last_evaluation_ns,
        )

    def _snapshot(self) -> GroupSnapshot:
        return GroupSnapshot(
            name=self.group.name,
            file=self.group.file,
            interval_seconds=self.interval_ns / 1e9,
            limit=self.group.limit,
            last_evaluation_ns=self.last_evaluation_ns,
            evaluation_seconds=self.duration_seconds,
            rules=tuple(rule.snapshot() for rule in self.rules),
        )
