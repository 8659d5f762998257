"""Alertmanager's API v2 under /alertmanager: what amtool, Grafana and Prometheus call.

Source: prometheus/alertmanager, api/v2/openapi.yaml and api/v2/api.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchkeeper.backend import Backend
from watchkeeper.clock import Clock
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.notify import (
    AlertStatus,
    Matchers,
    Notifier,
    Silence,
    SilenceState,
    matcher,
    matchers_of,
    parse_matchers,
)
from watchkeeper.notify.matchers import holds
from watchkeeper.server.alertmanager_json import (
    alert_json,
    read_alerts,
    read_silence,
    silence_json,
)
from watchkeeper.server.answers import Failure, Refusal, answering, json_answer, unrouted
from watchkeeper.server.arguments import (
    MAX_JSON_BYTES,
    Arguments,
    arguments,
    body,
    inflate,
    rfc3339,
)
from watchkeeper.server.threads import Threads

SPEAKS_LIKE = "0.28.1"
"""The Alertmanager whose API this one follows."""


def error_answer(failure: Failure) -> Response:
    """Return a failure as Alertmanager words it: a JSON string."""
    return json_answer(failure.message, failure.status, failure.headers)


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """The endpoints, over a backend's notifier."""

    backend: Backend
    threads: Threads
    clock: Clock

    @property
    def notifier(self) -> Notifier:
        """The notifier of now: a reload puts another in its place."""
        return self.backend.notifier

    async def status(self, request: Request) -> Response:
        build = dict.fromkeys(("branch", "buildDate", "buildUser", "goVersion", "revision"), "")
        return json_answer(
            {
                "cluster": {"status": "disabled", "name": "", "peers": []},
                "versionInfo": {"version": SPEAKS_LIKE, **build},
                "config": {"original": self.notifier.status_yaml()},
                "uptime": rfc3339(self.backend.started_ns),
            }
        )

    async def receivers(self, request: Request) -> Response:
        return json_answer([{"name": receiver.name} for receiver in self.notifier.receivers()])

    async def alerts(self, request: Request) -> Response:
        wanted = AlertFilter.of(await arguments(request))
        found = await self.threads.run(self.notifier.alerts)
        shown = sorted(filter(wanted, found), key=lambda status: status.fingerprint)
        return json_answer([_status_json(status) for status in shown])

    async def alert_groups(self, request: Request) -> Response:
        wanted = AlertFilter.of(await arguments(request))
        groups = await self.threads.run(self.notifier.groups)
        content = [
            {
                "labels": dict(group.labels),
                "receiver": {"name": group.receiver},
                "alerts": [_status_json(status) for status in shown],
            }
            for group in sorted(groups, key=lambda group: (group.labels, group.receiver))
            if (shown := list(filter(wanted, group.alerts)))
        ]
        return json_answer(content)

    async def post_alerts(self, request: Request) -> Response:
        alerts, refused = read_alerts(await _json_body(request))
        await self.threads.run(partial(self.notifier.put, alerts))
        if refused:
            raise Refusal(400, "bad_alert", "; ".join(refused))
        return PlainTextResponse("")

    async def silences(self, request: Request) -> Response:
        wanted = _filter(await arguments(request))
        now_ns = self.clock.time_ns()
        found = await self.threads.run(self.notifier.silences)
        shown = [silence for silence in found if wanted.matches(_patterns(silence))]
        shown.sort(key=lambda silence: _place(silence, now_ns))
        return json_answer([silence_json(silence, now_ns) for silence in shown])

    async def silence(self, request: Request) -> Response:
        silence_id = request.path_params["silence_id"]
        for silence in await self.threads.run(self.notifier.silences):
            if silence.id == silence_id:
                return json_answer(silence_json(silence, self.clock.time_ns()))
        raise _no_such_silence(silence_id)

    async def post_silence(self, request: Request) -> Response:
        silence = read_silence(await _json_body(request))
        try:
            silence_id = await self.threads.run(partial(self.notifier.add_silence, silence))
        except KeyError:
            raise _no_such_silence(silence.id) from None
        return json_answer({"silenceID": silence_id})

    async def delete_silence(self, request: Request) -> Response:
        silence_id = request.path_params["silence_id"]
        try:
            await self.threads.run(partial(self.notifier.expire_silence, silence_id))
        except KeyError:
            raise _no_such_silence(silence_id) from None
        return PlainTextResponse("")


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts a client wants to see."""

    matchers: Matchers
    receiver: Matcher | None
    active: bool
    silenced: bool
    inhibited: bool

    @classmethod
    def of(cls, given: Arguments) -> AlertFilter:
        """Read the filter. Raises Refusal 400."""
        pattern = given.first("receiver")
        try:
            receiver = matcher("receiver", MatchOperator.REGEX, pattern) if pattern else None
        except ValueError as error:
            raise Refusal(400, "bad_filter", str(error)) from None
        return cls(
            _filter(given),
            receiver,
            active=_flag(given, "active"),
            silenced=_flag(given, "silenced"),
            inhibited=_flag(given, "inhibited"),
        )

    def __call__(self, status: AlertStatus) -> bool:
        """Tell whether an alert is wanted."""
        if status.state == "active" and not self.active:
            return False
        if status.silenced_by and not self.silenced:
            return False
        if status.inhibited_by and not self.inhibited:
            return False
        if self.receiver and not any(holds(self.receiver, name) for name in status.receivers):
            return False
        return self.matchers.matches(dict(status.alert.labels))


def app(backend: Backend, threads: Threads, clock: Clock) -> Starlette:
    """Return the API."""
    api = Alertmanager(backend, threads, clock)
    answer = answering(error_answer)
    endpoints = (
        ("GET", "/api/v2/status", api.status),
        ("GET", "/api/v2/receivers", api.receivers),
        ("GET", "/api/v2/alerts", api.alerts),
        ("POST", "/api/v2/alerts", api.post_alerts),
        ("GET", "/api/v2/alerts/groups", api.alert_groups),
        ("GET", "/api/v2/silences", api.silences),
        ("POST", "/api/v2/silences", api.post_silence),
        ("GET", "/api/v2/silence/{silence_id}", api.silence),
        ("DELETE", "/api/v2/silence/{silence_id}", api.delete_silence),
    )
    return Starlette(
        routes=[
            *(Route(path, answer(call), methods=[method]) for method, path, call in endpoints),
            Route("/-/healthy", well),
            Route("/-/ready", well),
        ],
        exception_handlers=unrouted(error_answer),
    )


async def well(request: Request) -> Response:
    """Say that requests are answered, as Alertmanager words it."""
    return PlainTextResponse("OK")


def _status_json(status: AlertStatus) -> dict[str, Any]:
    muted = {
        "state": status.state,
        "silencedBy": list(status.silenced_by),
        "inhibitedBy": list(status.inhibited_by),
        "mutedBy": [],
    }
    return alert_json(status.alert, muted, status.receivers)


def _filter(given: Arguments) -> Matchers:
    texts = given.every("filter")
    try:
        return matchers_of(found for text in texts for found in parse_matchers(text))
    except ValueError as error:
        raise Refusal(400, "bad_filter", f"bad matcher format: {error}") from None


def _flag(given: Arguments, name: str) -> bool:
    text = given.first(name, "true").lower()
    if text not in ("true", "false"):
        raise Refusal(400, "bad_parameter", f"{name} is true or false")
    return text == "true"


def _patterns(silence: Silence) -> Mapping[str, str]:
    return {matcher.name: matcher.value for matcher in silence.matchers.items}


def _place(silence: Silence, now_ns: int) -> tuple[int, int]:
    """Active silences come first, by their end; then pending ones, by their start."""
    match silence.state(now_ns):
        case SilenceState.ACTIVE:
            return 0, silence.ends_at_ns
        case SilenceState.PENDING:
            return 1, silence.starts_at_ns
    return 2, -silence.ends_at_ns


def _no_such_silence(silence_id: str) -> Refusal:
    return Refusal(404, "no_such_silence", f"silence {silence_id[:80]} not found")


async def _json_body(request: Request) -> bytes:
    data = await body(request, MAX_JSON_BYTES)
    return inflate(data, request.headers.get("content-encoding", ""), MAX_JSON_BYTES)
