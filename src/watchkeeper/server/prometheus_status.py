"""How the monitoring itself stands, as Prometheus answers it: rules, alerts, targets, status."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from watchkeeper.backend import Backend
from watchkeeper.configuration import Duration, dump_yaml
from watchkeeper.ingest.scrape import TargetStatus
from watchkeeper.rules.snapshot import GroupSnapshot, RuleSnapshot
from watchkeeper.server.arguments import Arguments, arguments, rfc3339
from watchkeeper.server.prometheus_parameters import data_answer, refuse
from watchkeeper.server.rules_json import NEVER, alert_json, group_json
from watchkeeper.server.threads import Threads

SPEAKS_LIKE = "3.14.0"
"""The Prometheus whose HTTP API this one follows: clients switch features on by it."""


@dataclass(frozen=True, slots=True)
class Status:
    """The endpoints, over a backend."""

    backend: Backend
    threads: Threads

    async def rules(self, request: Request) -> Response:
        given = await arguments(request)
        kinds = {"": "", "alert": "alerting", "record": "recording"}
        if given.first("type") not in kinds:
            raise refuse("type", f'not supported value "{given.first("type")}"')
        kind = kinds[given.first("type")]
        groups = []
        for group in self._groups_named(given):
            rules = [rule for rule in group.rules if _is_wanted(rule, given, kind)]
            if rules:
                groups.append(group_json(group, rules))
        return data_answer({"groups": groups})

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
        stats = await self.threads.run(self.backend.store.stats)
        return data_answer(
            {
                "headStats": {
                    "numSeries": stats.series,
                    "numLabelPairs": 0,
                    "chunkCount": 0,
                    "minTime": 0,
                    "maxTime": 0,
                },
                "seriesCountByMetricName": [],
                "labelValueCountByLabelName": [],
                "memoryInBytesByLabelName": [],
                "seriesCountByLabelValuePair": [],
            }
        )

    def _groups_named(self, given: Arguments) -> Iterator[GroupSnapshot]:
        names = given.every("rule_group[]") or given.every("rule_group")
        files = given.every("file[]") or given.every("file")
        for group in self.backend.groups():
            if (not names or group.name in names) and (not files or group.file in files):
                yield group


def _is_wanted(rule: RuleSnapshot, given: Arguments, kind: str) -> bool:
    names = given.every("rule_name[]") or given.every("rule_name")
    return kind in ("", rule.kind) and (not names or rule.name in names)


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
