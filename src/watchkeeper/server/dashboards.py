"""The dashboards: Grafana's own JSON files, handed to the page as they are."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from watchkeeper.server.answers import Refusal

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dashboards:
    """The dashboard files under a directory, read when they are asked for: a new one shows at
    the next look."""

    directory: Path | None

    def titles(self) -> list[dict[str, str]]:
        """Return uid, title and description of each, by title."""
        found = [
            {name: str(dashboard.get(name) or "") for name in ("uid", "title", "description")}
            for dashboard in self._read().values()
        ]
        return sorted(found, key=lambda entry: entry["title"])

    def one(self, uid: str) -> dict[str, Any]:
        """Return one dashboard as its file has it. Raises Refusal 404."""
        try:
            return self._read()[uid]
        except KeyError:
            message = f"no dashboard has the uid {uid[:80]!r}"
            raise Refusal(404, "no_such_dashboard", message) from None

    def _read(self) -> dict[str, dict[str, Any]]:
        dashboards: dict[str, dict[str, Any]] = {}
        if self.directory is None:
            return dashboards
        for path in sorted(self.directory.rglob("*.json")):
            try:
                dashboard = orjson.loads(path.read_bytes())
                dashboards[str(dashboard["uid"])] = dashboard
            except (OSError, ValueError, KeyError, TypeError) as error:
                reason = type(error).__name__
                LOGGER.warning("a dashboard was left out", extra={"file": str(path), "why": reason})
        return dashboards
