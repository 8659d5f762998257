"""Alerts and silences in the JSON of Alertmanager's API v2 (api/v2/openapi.yaml)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from watchkeeper.errors import ConfigError
from watchkeeper.model import FiringAlert, Matcher, MatchOperator, labels
from watchkeeper.notify.alert import Alert, fingerprint
from watchkeeper.notify.matchers import matcher, matchers_of
from watchkeeper.notify.silence import Silence
from watchkeeper.server.answers import Refusal
from watchkeeper.server.arguments import rfc3339, timestamp_ns

_OPERATORS = {
    (False, True): MatchOperator.EQUAL,
    (False, False): MatchOperator.NOT_EQUAL,
    (True, True): MatchOperator.REGEX,
    (True, False): MatchOperator.NOT_REGEX,
}
_FLAGS = {operator: flags for flags, operator in _OPERATORS.items()}


class PostedMatcher(msgspec.Struct, rename="camel"):
    """A matcher as it is posted."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True


class PostedSilence(msgspec.Struct, rename="camel"):
    """A silence as it is posted."""

    matchers: list[PostedMatcher]
    starts_at: str
    ends_at: str
    created_by: str = ""
    comment: str = ""
    id: str | None = None


class PostedAlert(msgspec.Struct, rename="camel"):
    """An alert as it is posted."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    starts_at: str = ""
    ends_at: str = ""
    generator_url: str = msgspec.field(default="", name="generatorURL")


def read_alerts(body: bytes) -> tuple[list[FiringAlert], list[str]]:
    """Return the posted alerts that can be used, and what is wrong with the others.

    As in Alertmanager, good alerts count whatever the rest is. Raises Refusal 400 for a body
    that holds no alerts at all.
    """
    alerts: list[FiringAlert] = []
    refused: list[str] = []
    for posted in _decode(body, list[PostedAlert]):
        try:
            alerts.append(_alert(posted))
        except Refusal as refusal:
            refused.append(refusal.detail)
    return alerts, refused


def _alert(posted: PostedAlert) -> FiringAlert:
    identity = labels(posted.labels)
    starts_at_ns, ends_at_ns = _time("startsAt", posted.starts_at), _time("endsAt", posted.ends_at)
    if not identity:
        raise Refusal(400, "bad_alert", "at least one label pair required")
    if 0 < ends_at_ns < starts_at_ns:
        raise Refusal(400, "bad_alert", "start time must be before end time")
    return FiringAlert(
        labels=identity,
        annotations=labels(posted.annotations),
        starts_at_ns=starts_at_ns,
        ends_at_ns=ends_at_ns or None,
        generator_url=posted.generator_url,
    )


def read_silence(body: bytes) -> Silence:
    """Return a posted silence. Raises Refusal 400."""
    posted = _decode(body, PostedSilence)
    try:
        matchers = [
            matcher(given.name, _OPERATORS[given.is_regex, given.is_equal], given.value)
            for given in posted.matchers
        ]
    except (ValueError, ConfigError) as error:
        raise Refusal(400, "bad_silence", str(error)) from None
    return Silence(
        id=posted.id or "",
        matchers=matchers_of(matchers),
        starts_at_ns=_time("startsAt", posted.starts_at),
        ends_at_ns=_time("endsAt", posted.ends_at),
        created_by=posted.created_by,
        comment=posted.comment,
    )


def silence_json(silence: Silence, now_ns: int) -> dict[str, Any]:
    """Return a silence."""
    return {
        "id": silence.id,
        "status": {"state": silence.state(now_ns).value},
        "updatedAt": rfc3339(silence.updated_at_ns),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "startsAt": rfc3339(silence.starts_at_ns),
        "endsAt": rfc3339(silence.ends_at_ns),
        "matchers": [matcher_json(matcher) for matcher in silence.matchers.items],
    }


def matcher_json(matcher: Matcher) -> dict[str, Any]:
    """Return one condition."""
    is_regex, is_equal = _FLAGS[matcher.operator]
    return {
        "name": matcher.name,
        "value": matcher.value,
        "isRegex": is_regex,
        "isEqual": is_equal,
    }


def alert_json(alert: Alert, status: Mapping[str, Any], receivers: Sequence[str]) -> dict[str, Any]:
    """Return an alert with what mutes it and whom it goes to."""
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.starts_at_ns),
        "endsAt": rfc3339(alert.ends_at_ns),
        "updatedAt": rfc3339(alert.updated_at_ns),
        "generatorURL": alert.generator_url,
        "fingerprint": fingerprint(alert.labels),
        "receivers": [{"name": name} for name in receivers],
        "status": dict(status),
    }


def _decode(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Refusal(400, "bad_json", str(error)) from None


def _time(name: str, text: str) -> int:
    """Return a time in nanoseconds; 0 for none, which Go writes as the year 1."""
    if not text or text.startswith("0001-"):
        return 0
    try:
        return timestamp_ns(text)
    except ValueError:
        raise Refusal(400, "bad_time", f"{name} is not an RFC 3339 time") from None
