"""How the monitoring itself stands, as Prometheus answers it: rules, alerts, targets, status."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from watchkeeper.backend import Backend
from watchkeeper.clock import Clock
from watchkeeper.configuration import Duration, dump_yaml
from watchkeeper.ingest.scrape import TargetStatus
from watchkeeper.matching import matches
from watchkeeper.model import Matcher, labels
from watchkeeper.rules.snapshot import GroupSnapshot, RuleSnapshot
from watchkeeper.server.answers import Refusal
from watchkeeper.server.arguments import Arguments, arguments, rfc3339
from watchkeeper.server.prometheus_cardinality import DEFAULT_ENTRIES, Cardinality
from watchkeeper.server.prometheus_parameters import (
    count_of,
    data_answer,
    matcher_sets,
    now_ms,
    refuse,
)
from watchkeeper.server.rules_json import NEVER, alert_json, group_json
from watchkeeper.server.threads import Threads

HEAD_MS = 2 * 3_600_000
"""What counts as the head, for those who ask for its statistics: Prometheus' block range."""
_TRUE = ("1", "t", "T", "true", "TRUE", "True")

SPEAKS_LIKE = "3.14.0"
"""The Prometheus whose HTTP API this one follows: clients switch features on by it."""


@dataclass(frozen=True, slots=True)
class Status:
    """The endpoints, over a backend."""

    backend: Backend
    threads: Threads
    clock: Clock

    async def rules(self, request: Request) -> Response:
        given = await arguments(request)
        kinds = {"": "", "alert": "alerting", "record": "recording"}
        if given.first("type") not in kinds:
            raise refuse("type", f'not supported value "{given.first("type")}"')
        kind = kinds[given.first("type")]
        sets = await self.threads.run(partial(matcher_sets, given))
        whole = given.first("exclude_alerts") not in _TRUE
        groups, token = rules_page(given, self.backend.groups())
        found: dict[str, Any] = {"groups": []}
        for group in _named(given, groups):
            rules = [rule for rule in group.rules if _is_wanted(rule, given, kind, sets)]
            if rules:
                found["groups"].append(group_json(group, rules, alerts=whole))
        if token:
            found["groupNextToken"] = token
        return data_answer(found)

    async def alerts(self, request: Request) -> Response:
        groups = self.backend.groups()
        alerts = [alert for group in groups for rule in group.rules for alert in rule.alerts]
        return data_answer({"alerts": [alert_json(alert) for alert in alerts]})

    async def targets(self, request: Request) -> Response:
        given = await arguments(request)
        pool, state = given.first("scrapePool"), given.first("state", "any").lower()
        active = [
            _target_json(target)
            for target in self.backend.targets()
            if pool in ("", target.job) and state in ("any", "active")
        ]
        return data_answer(
            {"activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {}}
        )

    async def build(self, request: Request) -> Response:
        return data_answer(
            {
                "version": SPEAKS_LIKE,
                "revision": f"watchkeeper-{version('watchkeeper')}",
                "branch": "",
                "buildUser": "",
                "buildDate": "",
                "goVersion": f"python{platform.python_version()}",
            }
        )

    async def runtime(self, request: Request) -> Response:
        stats = await self.threads.run(self.backend.store.stats)
        return data_answer(
            {
                "startTime": rfc3339(self.backend.started_ns),
                "CWD": str(Path.cwd()),
                "reloadConfigSuccess": not self.backend.reload_error,
                "lastConfigTime": rfc3339(self.backend.configured_ns),
                "timeSeriesCount": stats.series,
                "corruptionCount": len(stats.damage),
            }
        )

    async def config(self, request: Request) -> Response:
        text = await self.threads.run(partial(dump_yaml, self.backend.configuration.prometheus))
        return data_answer({"yaml": text})

    async def flags(self, request: Request) -> Response:
        places = self.backend.places
        return data_answer(
            {
                "config.file": str(places.prometheus),
                "storage.tsdb.path": str(places.data),
                "web.external-url": places.external_url,
                "query.max-samples": str(self.backend.query_limits.samples),
            }
        )

    async def storage(self, request: Request) -> Response:
        given = await arguments(request)
        entries = count_of(given, "limit") if given.first("limit") else DEFAULT_ENTRIES
        if not entries:
            raise Refusal(400, "bad_data", "limit must be a positive number")
        return data_answer(await self.threads.run(partial(self._cardinality, entries)))

    def _cardinality(self, entries: int) -> dict[str, Any]:
        """Return where the series of the last two hours come from."""
        end_ms = now_ms(self.clock)
        start_ms = end_ms - HEAD_MS
        found = Cardinality.of(self.backend.store.metrics.series((), start_ms, end_ms))
        head = {
            "numSeries": found.series,
            "numLabelPairs": len(found.pairs),
            "chunkCount": found.series,
            "minTime": start_ms,
            "maxTime": end_ms,
        }
        return {"headStats": head, **found.as_json(entries)}

    async def scrape_pools(self, request: Request) -> Response:
        jobs = {target.job for target in self.backend.targets()}
        return data_answer({"scrapePools": sorted(jobs)})


def rules_page(
    given: Arguments, groups: Sequence[GroupSnapshot]
) -> tuple[Sequence[GroupSnapshot], str]:
    """Return the groups of one page, `group_limit` of them, and the token of the next."""
    limit, token = given.first("group_limit"), given.first("group_next_token")
    if not limit:
        if token:
            reason = "group_limit needs to be present in order to paginate over the groups"
            raise refuse("group_limit", reason)
        return groups, ""
    if not limit.isascii() or not limit.isdecimal():
        raise refuse("group_limit", "group_limit needs to be a valid number")
    if int(limit) == 0:
        raise refuse("group_limit", "group_limit needs to be greater than 0")
    tokens = list(map(_token, groups))
    if token and token not in tokens:
        reason = f"invalid group_next_token '{token}'. were rule groups changed?"
        raise refuse("group_next_token", reason)
    begin = tokens.index(token) if token else 0
    end = begin + int(limit)
    return groups[begin:end], tokens[end] if end < len(tokens) else ""


def _token(group: GroupSnapshot) -> str:
    return hashlib.sha256(f"{group.file};{group.name}".encode()).hexdigest()


def _named(given: Arguments, groups: Sequence[GroupSnapshot]) -> Iterator[GroupSnapshot]:
    names = given.every("rule_group[]") or given.every("rule_group")
    files = given.every("file[]") or given.every("file")
    for group in groups:
        if (not names or group.name in names) and (not files or group.file in files):
            yield group


def _is_wanted(
    rule: RuleSnapshot, given: Arguments, kind: str, sets: list[tuple[Matcher, ...]]
) -> bool:
    names = given.every("rule_name[]") or given.every("rule_name")
    if kind not in ("", rule.kind) or (names and rule.name not in names):
        return False
    return not sets or any(matches(labels(rule.labels), wanted) for wanted in sets)


def _target_json(target: TargetStatus) -> dict[str, Any]:
    return {
        "discoveredLabels": dict(target.discovered_labels),
        "labels": dict(target.labels),
        "scrapePool": target.job,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": target.last_error,
        "lastScrape": rfc3339(target.last_scrape_ns, digits=9) if target.last_scrape_ns else NEVER,
        "lastScrapeDuration": target.last_duration_seconds,
        "health": target.health,
        "scrapeInterval": str(Duration(target.interval_seconds)),
        "scrapeTimeout": str(Duration(target.timeout_seconds)),
    }
