"""Reading what is to be proved from the files that Prometheus, Alertmanager and Grafana read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from watchkeeper.contract import Contract
from watchkeeper.errors import ConfigError
from watchkeeper.notify import load_config
from watchkeeper.promql import parse
from watchkeeper.prove.declared import Declared
from watchkeeper.prove.subject import Subject
from watchkeeper.rules import load_rules


def read_subject(
    contract: Contract,
    rules: Iterable[Path],
    alertmanager: Path | None = None,
    dashboards: Iterable[Path] = (),
) -> Subject:
    """Return what a contract declares together with rule files, routes and dashboards.

    Raises ConfigError that names file and place.
    """
    return Subject(
        Declared.of(contract),
        load_rules(rules, parse=parse),
        None if alertmanager is None else load_config(alertmanager),
        {path.name: _dashboard(path) for path in dashboards},
        scrape_interval_seconds=contract.scrape_interval_seconds,
        evaluation_interval_seconds=contract.evaluation_interval_seconds,
    )


def _dashboard(path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ConfigError(f"it cannot be read: {error}", source=str(path)) from None
    if not isinstance(found, dict):
        raise ConfigError("this is no dashboard: JSON object expected", source=str(path))
    return found.get("dashboard", found) if "panels" not in found else found
