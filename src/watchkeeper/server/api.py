"""The page's own API: overview, health, dashboards, alerts, notifications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchkeeper.backend import Backend
from watchkeeper.clock import Clock
from watchkeeper.errors import QueryError
from watchkeeper.rules import AlertState
from watchkeeper.server.answers import answering, error_answer, json_answer
from watchkeeper.server.arguments import rfc3339
from watchkeeper.server.checks import check_all
from watchkeeper.server.dashboards import Dashboards
from watchkeeper.server.rules_json import group_json
from watchkeeper.server.threads import Threads

COST_TODAY = 'sum(increase({__name__=~".+_cost_usd_total"}[%ds]))'
"""What every declared cost counter grew by since midnight, UTC."""
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints, over a backend."""

    backend: Backend
    dashboards: Dashboards
    threads: Threads
    clock: Clock

    async def overview(self, request: Request) -> Response:
        return json_answer(await self.threads.run(self._overview))

    async def health(self, request: Request) -> Response:
        checks = await self.threads.run(partial(check_all, self.backend, self.clock))
        ok = all(check.ok for check in checks)
        content = {"ok": ok, "checks": [check.as_json() for check in checks]}
        return json_answer(content, 200 if ok else 503)

    async def list_dashboards(self, request: Request) -> Response:
        return json_answer(await self.threads.run(self.dashboards.titles))

    async def dashboard(self, request: Request) -> Response:
        uid = request.path_params["uid"]
        return json_answer(await self.threads.run(partial(self.dashboards.one, uid)))

    async def alerts(self, request: Request) -> Response:
        return json_answer({"groups": await self.threads.run(self._alerts)})

    async def notifications(self, request: Request) -> Response:
        return json_answer(
            [
                {
                    "timestamp": rfc3339(record.timestamp_ns),
                    "receiver": record.receiver,
                    "integration": record.integration,
                    "status": record.status,
                    "alerts": record.alerts,
                    "outcome": record.outcome,
                    "detail": record.detail,
                    "summary": record.summary,
                }
                for record in self.backend.notifier.history()
            ]
        )

    def _overview(self) -> dict[str, Any]:
        checks = check_all(self.backend, self.clock)
        targets = self.backend.targets()
        up = sum(target.health == "up" for target in targets)
        stats = self.backend.store.stats()
        return {
            "service_name": self._service_name(),
            "healthy": all(check.ok for check in checks),
            "targets": {"up": up, "down": len(targets) - up},
            "alerts": self._alert_counts(),
            "cost_today_usd": self._cost_today(),
            "storage": {
                "samples": stats.samples,
                "logs": stats.logs,
                "spans": stats.spans,
                "bytes": sum(stats.bytes_on_disk.values()),
            },
            "started_at": rfc3339(self.backend.started_ns),
            "checks": [
                {"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks
            ],
        }

    def _service_name(self) -> str:
        """Return what is watched, as the targets' own label says it."""
        labels = self.backend.configuration.prometheus.global_.external_labels
        named = (dict(target.labels).get("service", "") for target in self.backend.targets())
        return labels.get("service") or next(filter(None, named), "")

    def _alert_counts(self) -> dict[str, int]:
        """Count alerts that ask for something; the Watchdog, which always fires, does not."""
        states = [
            alert.state
            for group in self.backend.groups()
            for rule in group.rules
            for alert in rule.alerts
            if ("severity", "none") not in alert.labels
        ]
        return {
            "firing": states.count(AlertState.FIRING),
            "pending": states.count(AlertState.PENDING),
        }

    def _cost_today(self) -> float | None:
        """Return what today cost in US dollars; None where nothing tells."""
        now_ms = self.clock.time_ns() // 1_000_000
        seconds = max(60, now_ms // 1000 % DAY_SECONDS)
        try:
            found = self.backend.engine.vector(COST_TODAY % seconds, now_ms)
        except QueryError:
            return None
        return found[0].value if found else None

    def _alerts(self) -> list[dict[str, Any]]:
        """Return the rule groups, each alerting rule with the receivers that its alerts go to."""
        groups = []
        for group in self.backend.groups():
            content = group_json(group)
            for rule in content["rules"]:
                if rule["type"] == "alerting":
                    rule["receivers"] = self._receivers(rule)
            groups.append(content)
        return groups

    def _receivers(self, rule: Mapping[str, Any]) -> list[str]:
        """Return who is told: by the alerts' own labels where there are any, else the rule's."""
        declared = {"alertname": rule["name"], **rule["labels"]}
        sets = [alert["labels"] for alert in rule["alerts"]] or [declared]
        names = [name for labels in sets for name in self.backend.notifier.route(labels)]
        return list(dict.fromkeys(names))

    def routes(self) -> list[Route]:
        """Return the routes, with errors in the page's words."""
        answer = answering(error_answer)
        return [
            Route("/api/overview", answer(self.overview)),
            Route("/api/health", answer(self.health)),
            Route("/api/dashboards", answer(self.list_dashboards)),
            Route("/api/dashboards/{uid}", answer(self.dashboard)),
            Route("/api/alerts", answer(self.alerts)),
            Route("/api/notifications", answer(self.notifications)),
        ]
