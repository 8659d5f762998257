"""Is the watch kept? Scraping, storing, evaluating and notifying, each looked at by itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from watchkeeper.backend import Backend
from watchkeeper.clock import Clock
from watchkeeper.model import SampleBatch, labels
from watchkeeper.notify import DeliveryRecord
from watchkeeper.rules import GroupSnapshot, Health

PROBE = labels({"__name__": "watchkeeper_store_probe"})
LEAST_ROOM_BYTES = 128 << 20
GRACE_SECONDS = 5.0
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found; `detail` says what is wrong, or how much is right."""

    name: str
    ok: bool
    detail: str
    latency_seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return it as the page and `watchkeeper health` read it."""
        return {
            "name": self.name,
            "ok": self.ok,
            "detail": self.detail,
            "latency_seconds": self.latency_seconds,
        }


def check_all(backend: Backend, clock: Clock) -> list[Check]:
    """Return all four checks, whatever any of them finds. Blocks: it writes a sample."""
    looks: dict[str, Callable[[Backend, int], tuple[bool, str]]] = {
        "scraping": scraping,
        "storing": storing,
        "evaluating": evaluating,
        "notifying": notifying,
    }
    checks = []
    for name, look in looks.items():
        began_ns = clock.monotonic_ns()
        try:
            ok, detail = look(backend, clock.time_ns())
        except Exception as error:  # noqa: BLE001 - a look that fails is a finding
            ok, detail = False, str(error) or type(error).__name__
        seconds = (clock.monotonic_ns() - began_ns) / SECOND_NS
        checks.append(Check(name, ok, detail, seconds))
    return checks


def scraping(backend: Backend, now_ns: int) -> tuple[bool, str]:
    """Every target was scraped within three of its intervals. A target that is down is an
    alert's business: the watch over it is kept."""
    targets = backend.targets()
    late = [
        target.url
        for target in targets
        if _is_late(
            now_ns,
            max(target.last_scrape_ns, backend.configured_ns),
            3 * target.interval_seconds + target.timeout_seconds,
        )
    ]
    if "scraper" in backend.failures:
        return False, f"the scraper failed and was started again: {backend.failures['scraper']}"
    if backend.scraper.problems:
        return False, f"discovery: {backend.scraper.problems[0]}"
    if late:
        return False, f"not scraped in time: {', '.join(late[:5])}"
    up = sum(target.health == "up" for target in targets)
    return True, f"{up} of {counted(len(targets), 'target')} up"


def storing(backend: Backend, now_ns: int) -> tuple[bool, str]:
    """A sample can be written, and there is room for more."""
    room = shutil.disk_usage(backend.places.data).free
    if room < LEAST_ROOM_BYTES:
        return False, f"{room >> 20} MiB are left on the disk of {backend.places.data}"
    moment = np.array([now_ns // 1_000_000], dtype=np.int64)
    backend.store.metrics.append(SampleBatch([PROBE], moment, np.array([1.0])))
    damage = backend.store.stats().damage
    if damage:
        return False, f"{damage[0].path} is damaged: {damage[0].reason}"
    return True, f"written and synchronised; {room >> 30} GiB are free"


def evaluating(backend: Backend, now_ns: int) -> tuple[bool, str]:
    """Every group was evaluated within two of its intervals, and no rule fails."""
    groups = backend.groups()
    if "evaluator" in backend.failures:
        return False, f"the evaluator failed and was started again: {backend.failures['evaluator']}"
    for wrong in _failing_rules(groups):
        return False, wrong
    for group in groups:
        last_ns = max(group.last_evaluation_ns, backend.configured_ns)
        if _is_late(now_ns, last_ns, 2 * group.interval_seconds):
            return False, f"group {group.name} was not evaluated in time"
    rules = sum(len(group.rules) for group in groups)
    return True, f"{counted(rules, 'rule')} in {counted(len(groups), 'group')}"


def notifying(backend: Backend, now_ns: int) -> tuple[bool, str]:
    """No last delivery failed, by any way that is still configured."""
    if "notifier" in backend.failures:
        return False, f"the notifier failed and was started again: {backend.failures['notifier']}"
    last: dict[tuple[str, str], DeliveryRecord] = {}
    receivers = backend.notifier.receivers()
    ways = {(receiver.name, kind) for receiver in receivers for kind in receiver.integrations}
    for record in backend.notifier.history():
        if (record.receiver, record.integration) in ways:
            last.setdefault((record.receiver, record.integration), record)
    for record in last.values():
        if record.outcome == "failed":
            return False, f"{record.receiver} ({record.integration}) fails: {record.detail}"
    known = counted(len(receivers), "receiver")
    if not last:
        return True, f"{known}; nothing had to be sent yet"
    if len(last) == 1:
        return True, f"{known}; the last message arrived"
    return True, f"{known}; the last message by each of {len(last)} ways arrived"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 rule, 2 rules."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _failing_rules(groups: tuple[GroupSnapshot, ...]) -> Iterator[str]:
    for group in groups:
        for rule in group.rules:
            if rule.health is Health.ERROR:
                yield f"rule {rule.name} of group {group.name} fails: {rule.last_error}"


def _is_late(now_ns: int, last_ns: int, within_seconds: float) -> bool:
    return now_ns - last_ns > (within_seconds + GRACE_SECONDS) * SECOND_NS
