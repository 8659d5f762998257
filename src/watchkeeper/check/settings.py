"""What a project says about checks: `[tool.watchkeeper.check]` of its pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from watchkeeper.check.finding import Finding, Severity
from watchkeeper.check.registry import BY_ID, CHECKS
from watchkeeper.configuration import Duration
from watchkeeper.errors import ConfigError

OFF = "off"


@dataclass(frozen=True, slots=True)
class FileAllowance:
    """Findings of a check that are allowed in files, by their names, and why."""

    check: str
    because: str
    file: str = "*"
    subject: str = "*"

    def covers(self, finding: Finding) -> bool:
        """Whether it stands for a finding."""
        return (
            self.check == finding.check
            and fnmatch(finding.place.file, self.file)
            and fnmatch(finding.subject, self.subject)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Severities by check (None: off), parameters by `check.name`, exceptions, and what is known
    of the installation."""

    severities: Mapping[str, Severity | None] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    allowed: tuple[FileAllowance, ...] = ()
    target_labels: frozenset[str] = frozenset()
    scrape_seconds: float | None = None
    metrics: tuple[str, ...] = ()

    def severity(self, check: str) -> Severity | None:
        """Return how bad findings of a check are; None where it is off."""
        if check in self.severities:
            return self.severities[check]
        return BY_ID[check].severity

    @property
    def all_parameters(self) -> dict[str, float]:
        """Every parameter, with its default where the project says nothing."""
        defaults = {
            f"{check.id}.{name}": value
            for check in CHECKS
            for name, value in check.parameters.items()
        }
        return {**defaults, **self.parameters}


def load_settings(path: Path) -> Settings:
    """Return the settings in a pyproject.toml; the defaults where it has none, or is not there.

    Raises ConfigError that names the place.
    """
    if not path.is_file():
        return Settings()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"is not TOML: {error}", source=str(path)) from None
    table = document.get("tool", {}).get("watchkeeper", {}).get("check", {})
    return _Reader(str(path)).read(table)


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source

    def read(self, table: Mapping[str, Any]) -> Settings:
        known = {"rules", "allow", "target-labels", "scrape-interval", "metrics"}
        for key in table:
            if key not in known:
                raise self._error(f"unknown key {key!r}; there are {', '.join(sorted(known))}")
        severities: dict[str, Severity | None] = {}
        parameters: dict[str, float] = {}
        for check, options in table.get("rules", {}).items():
            self._known(check, "rules")
            for name, value in options.items():
                if name == "severity":
                    severities[check] = self._severity(check, value)
                elif name in BY_ID[check].parameters and isinstance(value, int | float):
                    parameters[f"{check}.{name}"] = float(value)
                else:
                    raise self._error(f"{check} has no number {name!r}", f"rules.{check}")
        return Settings(
            severities=severities,
            parameters=parameters,
            allowed=tuple(self._allowance(entry) for entry in table.get("allow", [])),
            target_labels=frozenset(table.get("target-labels", [])),
            scrape_seconds=self._seconds(table.get("scrape-interval")),
            metrics=tuple(table.get("metrics", [])),
        )

    def _severity(self, check: str, value: object) -> Severity | None:
        if value == OFF:
            return None
        try:
            return Severity(str(value))
        except ValueError:
            raise self._error(
                f"{value!r} is no severity: error, warning, info or off", f"rules.{check}"
            ) from None

    def _allowance(self, entry: Mapping[str, str]) -> FileAllowance:
        unknown = entry.keys() - {"check", "because", "file", "subject"}
        if unknown or not entry.get("because"):
            raise self._error("an exception has check, because, and file or subject", "allow")
        self._known(entry.get("check", ""), "allow")
        return FileAllowance(**entry)

    def _known(self, check: str, where: str) -> None:
        if check not in BY_ID:
            raise self._error(f"there is no check {check!r}", where)

    def _seconds(self, text: str | None) -> float | None:
        if text is None:
            return None
        try:
            return float(Duration.parse(text))
        except ValueError as error:
            raise self._error(str(error), "scrape-interval") from None

    def _error(self, reason: str, where: str = "") -> ConfigError:
        path = ".".join(part for part in ("tool.watchkeeper.check", where) if part)
        return ConfigError(reason, source=self._source, path=path)
