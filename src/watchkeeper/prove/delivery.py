"""The way of a fired alert: routes, inhibition, grouping, receivers, and the rendered message.

The real notifier runs with fake time over what the evaluator sent; in the place of each
receiver stands one that renders the message and keeps it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import orjson

from watchkeeper.model import FiringAlert
from watchkeeper.notify import AlertmanagerConfig, Notifier
from watchkeeper.notify.email import Email
from watchkeeper.notify.integration import Integration, Receiver
from watchkeeper.notify.message import RESOLVED, Message
from watchkeeper.notify.pagerduty import PagerDuty
from watchkeeper.notify.post import Poster
from watchkeeper.notify.slack import Slack
from watchkeeper.notify.webhook import Webhook, payload
from watchkeeper.prove.calm import Shortened, without_calm
from watchkeeper.prove.evaluated import Evaluated

BEGIN_NS = 1_767_603_600_000_000_000
"""2026-01-05T09:00:00Z, a Monday morning: who has working hours is at work."""
PATIENCE_NS = 2 * 3600 * 1_000_000_000
"""How long after its end a notice is waited for."""
FAULTS = re.compile(r"<no value>|<error expanding template|%!\w?\(|\{\{")
"""What Go's templates leave in a text that went wrong."""


@dataclass(frozen=True)
class Notice:
    """What one receiver was told by one of its ways: `firing` or `resolved`, and the text."""

    receiver: str
    way: str
    status: str
    text: str
    line: str
    after_seconds: float


@dataclass(frozen=True)
class Delivery:
    """All notices of one alert, and what is wrong with them."""

    notices: tuple[Notice, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def told(self) -> list[str]:
        """The receivers that hear of it, with their ways: `critical (slack, email)`."""
        ways: dict[str, list[str]] = {}
        for notice in self.notices:
            known = ways.setdefault(notice.receiver, [])
            if notice.way not in known:
                known.append(notice.way)
        return [f"{receiver} ({', '.join(known)})" for receiver, known in ways.items()]


def deliver(config: AlertmanagerConfig, fired: Evaluated) -> Delivery:
    """Return what becomes of the alerts that an evaluator sent."""
    return asyncio.run(_Delivering(config, fired).run())


@dataclass
class _Hands:
    """A clock that is set (clock.Clock)."""

    now_ns: int = BEGIN_NS

    def time_ns(self) -> int:
        return self.now_ns

    def monotonic_ns(self) -> int:
        return self.now_ns


@dataclass(frozen=True)
class _Keeper:
    """Stands for a receiver's way: renders what it would send, and keeps it."""

    way: Integration
    clock: _Hands
    shortened: Shortened
    kept: list[tuple[str, Message, str, int]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.way.name

    @property
    def send_resolved(self) -> bool:
        return self.way.send_resolved

    async def send(self, message: Message, poster: Poster) -> str:
        whole = _lengthened(message, self.shortened)
        self.kept.append((self.way.name, whole, _rendered(self.way, whole), whole.now_ns))
        return "kept"


class _Delivering:
    def __init__(self, config: AlertmanagerConfig, fired: Evaluated) -> None:
        self._clock = _Hands()
        self._shortened = without_calm(fired.told, config.route)
        self._keepers: list[_Keeper] = []
        receivers = {name: self._kept(one) for name, one in config.receivers.items()}
        self._notifier = Notifier(replace(config, receivers=receivers), clock=self._clock)

    def _kept(self, receiver: Receiver) -> Receiver:
        keepers = tuple(_Keeper(way, self._clock, self._shortened) for way in receiver.integrations)
        self._keepers += keepers
        return Receiver(receiver.name, keepers)

    async def run(self) -> Delivery:
        last_ns = BEGIN_NS
        first_ns: int | None = None
        for told in self._shortened.told:
            now_ns = BEGIN_NS + told.at_ms * 1_000_000
            await self._until(now_ns)
            self._notifier.put(_later(told.alerts))
            first_ns = now_ns if first_ns is None else first_ns
            last_ns = now_ns
            if self._is_resolved():
                break
        await self._until(last_ns + PATIENCE_NS)
        return self._judged(first_ns or BEGIN_NS)

    async def _until(self, moment_ns: int) -> None:
        """Let time pass, and every group be looked at when it is due."""
        while (due_ns := self._notifier.next_due_ns()) is not None and due_ns <= moment_ns:
            if self._is_resolved():
                break
            self._clock.now_ns = max(self._clock.now_ns, due_ns)
            await self._notifier.flush()
        self._clock.now_ns = moment_ns

    def _is_resolved(self) -> bool:
        """Whether everybody who was told has heard of the end."""
        told = [keeper for keeper in self._keepers if keeper.kept]
        return (
            bool(told)
            and all(
                keeper.kept[-1][1].status == RESOLVED for keeper in told if keeper.send_resolved
            )
            and any(keeper.send_resolved for keeper in told)
        )

    def _judged(self, first_ns: int) -> Delivery:
        notices = [
            Notice(
                message.receiver,
                way,
                message.status,
                text,
                message.summary,
                (at_ns - first_ns) / 1e9,
            )
            for keeper in self._keepers
            for way, message, text, at_ns in keeper.kept
        ]
        faults = [*self._about(notices)]
        return Delivery(tuple(notices), tuple(dict.fromkeys(faults)))

    def _about(self, notices: Sequence[Notice]) -> list[str]:
        if not notices:
            names = self._receivers()
            where = f"its route ends at {', '.join(names)}" if names else "no route takes it"
            return [f"nobody is told: {where}"]
        faults = [
            f"{one.receiver} ({one.way}) reads {found.group()!r}"
            for one in notices
            if (found := FAULTS.search(one.text))
        ]
        recovered = {(one.receiver, one.way) for one in notices if one.status == RESOLVED}
        faults += [
            f"{one.receiver} ({one.way}) is never told of the end: set send_resolved"
            for one in notices
            if (one.receiver, one.way) not in recovered
        ]
        return faults

    def _receivers(self) -> list[str]:
        alerts = [alert for told in self._shortened.told for alert in told.alerts]
        return self._notifier.route(dict(alerts[0].labels)) if alerts else []


def _later(alerts: Sequence[FiringAlert]) -> list[FiringAlert]:
    """Return alerts with their times moved from the epoch to the beginning of the delivery."""
    return [
        replace(
            one,
            starts_at_ns=one.starts_at_ns + BEGIN_NS,
            ends_at_ns=None if one.ends_at_ns is None else one.ends_at_ns + BEGIN_NS,
        )
        for one in alerts
    ]


def _lengthened(message: Message, shortened: Shortened) -> Message:
    """Return a message with its moments as they are in the time of which nothing is left out."""

    def original_ns(moment_ns: int) -> int:
        return BEGIN_NS + shortened.original_ns(moment_ns - BEGIN_NS)

    return replace(
        message,
        now_ns=original_ns(message.now_ns),
        alerts=tuple(
            replace(
                one,
                starts_at_ns=original_ns(one.starts_at_ns),
                ends_at_ns=original_ns(one.ends_at_ns),
            )
            for one in message.alerts
        ),
    )


def _rendered(way: Integration, message: Message) -> str:
    match way:
        case Slack() | PagerDuty():
            return orjson.dumps(way.payload(message)).decode()
        case Email():
            return way.compose(message).as_string()
        case Webhook():
            return orjson.dumps(payload(message, way.max_alerts)).decode()
    return message.summary
