"""What series, labels, metadata and exemplars there are, as Prometheus answers it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from watchkeeper.model import Matcher, MetricMetadata
from watchkeeper.ports import MetricStore
from watchkeeper.promql import selectors
from watchkeeper.promql.literals import format_number
from watchkeeper.server.answers import Refusal
from watchkeeper.server.arguments import arguments
from watchkeeper.server.prometheus_parameters import (
    count_of,
    data_answer,
    expression_of,
    limit_of,
    matcher_sets,
    range_ms,
)
from watchkeeper.server.threads import Threads

TRUNCATED = "results truncated due to limit"
_ESCAPED = re.compile(r"([^_]+)|_([0-9A-Fa-f]{0,6})_")
_LABEL_NAME = re.compile(r"[^\x00]+", re.DOTALL)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Lookups:
    """The endpoints, over a metric store."""

    metrics: MetricStore
    threads: Threads

    async def series(self, request: Request) -> Response:
        given = await arguments(request)
        sets = await self.threads.run(partial(matcher_sets, given))
        if not sets:
            raise Refusal(400, "bad_data", "no match[] parameter provided")
        start_ms, end_ms = range_ms(given)
        found = await self._union(
            sets, lambda matchers: self.metrics.series(matchers, start_ms, end_ms)
        )
        return _limited([dict(labels) for labels in found], limit_of(given))

    async def label_names(self, request: Request) -> Response:
        given = await arguments(request)
        start_ms, end_ms = range_ms(given)
        sets = await self.threads.run(partial(matcher_sets, given))
        found = await self._union(
            sets or [()],
            lambda matchers: self.metrics.label_names(matchers, start_ms, end_ms),
        )
        return _limited(found, limit_of(given))

    async def label_values(self, request: Request) -> Response:
        name = unescape_name(request.path_params["name"])
        if not _LABEL_NAME.fullmatch(name):
            raise Refusal(400, "bad_data", f'invalid label name: "{name}"')
        given = await arguments(request)
        start_ms, end_ms = range_ms(given)
        sets = await self.threads.run(partial(matcher_sets, given))
        found = await self._union(
            sets or [()],
            lambda matchers: self.metrics.label_values(name, matchers, start_ms, end_ms),
        )
        return _limited(found, limit_of(given))

    async def metadata(self, request: Request) -> Response:
        given = await arguments(request)
        wanted, limit = given.first("metric"), count_of(given, "limit")
        of_each = count_of(given, "limit_per_metric")
        entries = await self.threads.run(self.metrics.metadata)
        found: dict[str, list[dict[str, str]]] = {}
        for entry in entries:
            if wanted in ("", entry.name):
                found.setdefault(entry.name, []).append(_metadata_json(entry))
        names = list(found)[:limit]
        return data_answer({name: found[name][: of_each or None] for name in names})

    async def exemplars(self, request: Request) -> Response:
        given = await arguments(request)
        start_ms, end_ms = range_ms(given)
        expression = await self.threads.run(partial(expression_of, given))
        sets = [selector.all_matchers for selector in selectors(expression)]
        found = await self._union(
            sets, lambda matchers: self.metrics.exemplars(matchers, start_ms, end_ms), key=_labels
        )
        return data_answer(
            [
                {
                    "seriesLabels": dict(labels),
                    "exemplars": [
                        {
                            "labels": dict(exemplar.labels),
                            "value": format_number(exemplar.value),
                            "timestamp": exemplar.timestamp_ms / 1000,
                        }
                        for exemplar in exemplars
                    ],
                }
                for labels, exemplars in found
            ]
        )

    async def _union(
        self,
        sets: list[tuple[Matcher, ...]],
        look: Callable[[tuple[Matcher, ...]], list[Item]],
        key: Callable[[Item], Any] = lambda item: item,
    ) -> list[Item]:
        def look_at_all() -> list[Item]:
            if len(sets) == 1:
                return look(sets[0])
            merged = {key(item): item for matchers in sets for item in look(matchers)}
            return [merged[name] for name in sorted(merged)]

        return await self.threads.run(partial(look_at_all))


def unescape_name(name: str) -> str:
    """Return a label's name as it is, where a path has it escaped: `U__a_2e_b` is `a.b`.

    Source: prometheus/common, model.UnescapeName with ValueEncodingEscaping; what is not escaped
    rightly is taken as it is written.
    """
    if not name.startswith("U__"):
        return name
    pieces = []
    rest = name[3:]
    while match := _ESCAPED.match(rest):
        plain, code = match.groups()
        pieces.append(plain or ("_" if not code else _character(code)))
        rest = rest[match.end() :]
    found = "".join(pieces)
    return name if rest or "\ufffd" in found else found


def _character(code: str) -> str:
    number = int(code, 16)
    usable = number <= 0x10FFFF and not 0xD800 <= number < 0xE000
    return chr(number) if usable else "\ufffd"


def _labels(entry: tuple[Item, Any]) -> Item:
    return entry[0]


def _limited(found: list[Any], limit: int) -> Response:
    if limit and len(found) > limit:
        return data_answer(found[:limit], warnings=[TRUNCATED])
    return data_answer(found)


def _metadata_json(entry: MetricMetadata) -> dict[str, str]:
    return {"type": entry.type.value, "unit": entry.unit, "help": entry.help}
