"""The parts of Prometheus' HTTP API that tell what a server is and can: targets' metadata,
alertmanagers, features; and /federate, by which another Prometheus takes series over.

Source: prometheus.io, "HTTP API" and "Federation".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from watchkeeper.backend import Backend
from watchkeeper.clock import Clock
from watchkeeper.ingest import TargetStatus
from watchkeeper.matching import matches
from watchkeeper.model import METRIC_NAME, Labels, Matcher, MatchOperator, MetricType
from watchkeeper.promql.selection import is_stale
from watchkeeper.promql.signatures import AGGREGATIONS, FUNCTIONS, PRECEDENCE
from watchkeeper.server.answers import Refusal
from watchkeeper.server.arguments import arguments
from watchkeeper.server.prometheus_parameters import count_of, data_answer, matcher_sets, now_ms
from watchkeeper.server.threads import Threads
from watchkeeper.wire.exposition import encode_text
from watchkeeper.wire.family import FamilySample, MetricFamily

LOOKBACK_MS = 300_000
_SUFFIXES = ("", "_total", "_bucket", "_sum", "_count", "_info", "_created")


@dataclass(frozen=True, slots=True)
class Features:
    """The endpoints, over a backend."""

    backend: Backend
    threads: Threads
    clock: Clock

    async def targets_metadata(self, request: Request) -> Response:
        given = await arguments(request)
        text = given.first("match_target")
        sets = await self.threads.run(partial(matcher_sets, given, name="match_target"))
        wanted = sets[0] if text else ()
        targets = [one for one in self.backend.targets() if matches(one.labels, wanted)]
        found = await self.threads.run(partial(self._metadata_of, targets, given.first("metric")))
        return data_answer(found[: count_of(given, "limit")])

    def _metadata_of(self, targets: list[TargetStatus], metric: str) -> list[dict[str, Any]]:
        end_ms = now_ms(self.clock)
        entries = [one for one in self.backend.store.metrics.metadata() if metric in ("", one.name)]
        found: list[dict[str, Any]] = []
        for target in targets:
            matchers = [Matcher(name, MatchOperator.EQUAL, value) for name, value in target.labels]
            names = set(
                self.backend.store.metrics.label_values(
                    METRIC_NAME, matchers, end_ms - LOOKBACK_MS, end_ms
                )
            )
            found += [
                {
                    "target": dict(target.labels),
                    "metric": "" if metric else entry.name,
                    "type": entry.type.value,
                    "help": entry.help,
                    "unit": entry.unit,
                }
                for entry in entries
                if any(entry.name + suffix in names for suffix in _SUFFIXES)
            ]
        return found

    async def alertmanagers(self, request: Request) -> Response:
        url = f"{self.backend.places.external_url.rstrip('/')}/alertmanager/api/v2/alerts"
        return data_answer({"activeAlertmanagers": [{"url": url}], "droppedAlertmanagers": []})

    async def wal_replay(self, request: Request) -> Response:
        return data_answer({"min": 0, "max": 0, "current": 0, "state": "done"})

    async def features(self, request: Request) -> Response:
        return data_answer(
            {
                "api": dict.fromkeys(
                    ("exemplars", "federation", "query_stats", "query_warnings", "remote_write"),
                    True,
                ),
                "promql": dict.fromkeys(
                    (
                        "at_modifier",
                        "delayed_name_removal",
                        "duration_expr",
                        "extended_range_selectors",
                        "negative_offset",
                        "subqueries",
                    ),
                    True,
                ),
                "promql_functions": {
                    name: self.backend.query_limits.experimental_functions
                    or not FUNCTIONS[name].experimental
                    for name in sorted(FUNCTIONS)
                },
                "promql_operators": dict.fromkeys(sorted({*AGGREGATIONS, *PRECEDENCE}), True),
            }
        )

    async def federate(self, request: Request) -> Response:
        given = await arguments(request)
        sets = await self.threads.run(partial(matcher_sets, given))
        if not sets:
            raise Refusal(400, "bad_data", "no match[] parameter provided")
        body = await self.threads.run(lambda: encode_text(self._families(sets)))
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")

    def _families(self, sets: list[tuple[Matcher, ...]]) -> Iterator[MetricFamily]:
        """Give the newest sample of every matching series that has not ended, by metric."""
        end_ms = now_ms(self.clock)
        newest: dict[Labels, tuple[float, int]] = {}
        for matchers in sets:
            for one in self.backend.store.metrics.select(
                matchers, end_ms - LOOKBACK_MS + 1, end_ms
            ):
                if not is_stale(one.values[-1:])[0]:
                    newest[one.labels] = (float(one.values[-1]), int(one.timestamps_ms[-1]))
        outside = self.backend.configuration.prometheus.global_.external_labels
        by_name: dict[str, list[FamilySample]] = {}
        for series in sorted(newest):
            pairs = {**outside, **dict(series)}
            name = pairs.pop(METRIC_NAME, "")
            value, moment_ms = newest[series]
            sample = FamilySample("", tuple(sorted(pairs.items())), value, None, None, moment_ms)
            by_name.setdefault(name, []).append(sample)
        for name, samples in sorted(by_name.items()):
            yield MetricFamily(name, MetricType.UNKNOWN, samples=tuple(samples))
