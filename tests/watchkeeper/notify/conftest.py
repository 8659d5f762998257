"""A notifier in fake time whose webhooks end in a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from watchkeeper.model import FiringAlert, labels
from watchkeeper.notify import (
    AlertmanagerConfig,
    MutingSettings,
    Notifier,
    NotifierSettings,
    Silence,
    load_config,
    matchers_of,
    parse_matchers,
)
from watchkeeper.testing import FakeClock, SequentialIds

ReadConfig = Callable[[str], AlertmanagerConfig]


@pytest.fixture
def read_config(tmp_path: Path) -> ReadConfig:
    """Read an alertmanager.yml given as text."""

    def read(text: str) -> AlertmanagerConfig:
        path = tmp_path / "alertmanager.yml"
        path.write_text(text, encoding="utf-8")
        return load_config(path)

    return read


@dataclass
class Told:
    """One webhook call: to whom, in which state, about which alerts."""

    receiver: str
    status: str
    firing: list[str]
    resolved: list[str]
    body: dict[str, Any]


@dataclass
class Watch:
    """A notifier with its clock and what it told; `answer` is the status of every webhook."""

    notifier: Notifier
    clock: FakeClock
    told: list[Told] = field(default_factory=list)
    answer: int = 200

    def fire(self, name: str, **more: str) -> None:
        now_ns = self.clock.time_ns()
        self.notifier.put([alert(name, now_ns, None, **more)])

    def resolve(self, name: str, **more: str) -> None:
        now_ns = self.clock.time_ns()
        self.notifier.put([alert(name, now_ns - 60_000_000_000, now_ns, **more)])

    def silence(self, matcher: str, seconds: float) -> str:
        now_ns = self.clock.time_ns()
        return self.notifier.add_silence(
            Silence(
                matchers=matchers_of(parse_matchers(matcher)),
                starts_at_ns=now_ns,
                ends_at_ns=now_ns + round(seconds * 1e9),
                created_by="someone",
                comment="planned work",
            )
        )

    async def after(self, seconds: float) -> list[Told]:
        """Let time pass, look at the groups that are due, and return what was told meanwhile."""
        before = len(self.told)
        end_ns = self.clock.time_ns() + round(seconds * 1e9)
        while (due_ns := self.notifier.next_due_ns()) is not None and due_ns <= end_ns:
            self.clock.advance(max(0.0, (due_ns - self.clock.time_ns()) / 1e9))
            await self.notifier.flush()
        self.clock.advance((end_ns - self.clock.time_ns()) / 1e9)
        return self.told[before:]

    async def receive(self, request: httpx2.Request) -> httpx2.Response:
        if self.answer >= 300:
            return httpx2.Response(self.answer, text="not now")
        body = orjson.loads(await request.aread())
        names: dict[str, list[str]] = {"firing": [], "resolved": []}
        for item in body["alerts"]:
            names[item["status"]].append(item["labels"]["alertname"])
        self.told.append(
            Told(body["receiver"], body["status"], names["firing"], names["resolved"], body)
        )
        return httpx2.Response(200)


def alert(name: str, starts_ns: int, ends_ns: int | None, **more: str) -> FiringAlert:
    return FiringAlert(
        labels({"alertname": name, **more}),
        labels({"summary": f"{name} is wrong"}),
        starts_ns,
        ends_ns,
        "http://127.0.0.1:9400/graph",
    )


StartWatch = Callable[..., Watch]


@pytest.fixture
def start_watch(read_config: ReadConfig, tmp_path: Path) -> StartWatch:
    """Start a notifier; a second one finds what the first kept."""

    def start(
        config: str, clock: FakeClock | None = None, muting: MutingSettings | None = None
    ) -> Watch:
        clock = clock or FakeClock()
        watch: Watch

        async def receive(request: httpx2.Request) -> httpx2.Response:
            return await watch.receive(request)

        async def pause(seconds: float) -> None:
            clock.advance(seconds)

        notifier = Notifier(
            read_config(config),
            clock=clock,
            directory=tmp_path / "state",
            client=httpx2.AsyncClient(transport=httpx2.MockTransport(receive)),
            external_url="http://127.0.0.1:9400",
            settings=NotifierSettings(
                muting=muting or MutingSettings(), ids=SequentialIds(), sleep=pause
            ),
        )
        watch = Watch(notifier, clock)
        return watch

    return start
