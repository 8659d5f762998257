"""Reads alertmanager.yml: strictly, and with everything that it names looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from watchkeeper.configuration import Duration, convert, dump_yaml, read_yaml
from watchkeeper.errors import ConfigError
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.notify.config import (
    FileConfig,
    InhibitRuleConfig,
    RouteConfig,
    TimeIntervalConfig,
    TimesConfig,
)
from watchkeeper.notify.default_templates import default_library
from watchkeeper.notify.inhibit import InhibitRule
from watchkeeper.notify.integration import Receiver
from watchkeeper.notify.matchers import Matchers, matcher, matchers_of, parse_matchers
from watchkeeper.notify.receivers import ReceiverBuilder
from watchkeeper.notify.route import (
    GROUP_INTERVAL_NS,
    GROUP_WAIT_NS,
    REPEAT_INTERVAL_NS,
    Route,
)
from watchkeeper.notify.time_interval import (
    MONTHS,
    WEEKDAYS,
    TimeInterval,
    parse_minutes,
    parse_span,
    parse_zone,
)
from watchkeeper.templates import Library

Parsed = TypeVar("Parsed")


UNSUPPORTED_KEYS = frozenset(
    f"{service}_configs"
    for service in (
        "discord",
        "incidentio",
        "jira",
        "mattermost",
        "msteams",
        "msteamsv2",
        "opsgenie",
        "pushover",
        "rocketchat",
        "sns",
        "telegram",
        "victorops",
        "webex",
        "wechat",
    )
)
"""Receivers that Alertmanager has and Watchkeeper has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerConfig:
    """A configuration that can be worked by; `original` is the file as YAML, secrets masked."""

    route: Route
    receivers: Mapping[str, Receiver]
    inhibit_rules: tuple[InhibitRule, ...]
    time_intervals: Mapping[str, tuple[TimeInterval, ...]]
    resolve_timeout_ns: int
    original: str


def load_config(path: Path) -> AlertmanagerConfig:
    """Return the configuration in a file; files that it names are relative to its directory.

    Raises ConfigError: unknown keys, receivers and intervals that do not exist, broken
    matchers, templates and times, each with its place.
    """
    path = Path(path)
    return _Loader(path).load()


class _Loader:
    def __init__(self, path: Path) -> None:
        self._source = str(path)
        self._directory = path.parent
        self._file = self._read(path)

    def _read(self, path: Path) -> FileConfig:
        try:
            return convert(read_yaml(path), FileConfig, source=self._source)
        except ConfigError as error:
            key = error.reason.removeprefix("unknown field `").rstrip("`")
            if key in UNSUPPORTED_KEYS:
                raise self._error(
                    f"`{key}` is Alertmanager's, but is not supported here: tell a webhook instead",
                    error.path,
                ) from None
            raise

    def load(self) -> AlertmanagerConfig:
        library = self._library()
        receivers = self._receivers(library)
        intervals = self._intervals()
        root = self._file.route
        if not root.receiver:
            raise self._error("the root route needs a receiver", "$.route")
        if root.matchers or root.match or root.match_re:
            raise self._error("the root route takes every alert: no matchers here", "$.route")
        if root.continue_:
            raise self._error("the root route cannot `continue`", "$.route")
        parent = Route(identity="", key="", receiver="", matchers=Matchers())
        return AlertmanagerConfig(
            route=self._route(root, parent, "$.route", receivers, intervals),
            receivers=receivers,
            inhibit_rules=tuple(
                self._inhibit_rule(rule, f"$.inhibit_rules[{number}]")
                for number, rule in enumerate(self._file.inhibit_rules)
            ),
            time_intervals=intervals,
            resolve_timeout_ns=self._file.global_.resolve_timeout.nanoseconds,
            original=dump_yaml(self._file),
        )

    def _library(self) -> Library:
        library = default_library()
        for number, pattern in enumerate(self._file.templates):
            absolute = Path(pattern).is_absolute()
            base = Path(pattern).anchor if absolute else self._directory
            relative = str(Path(pattern).relative_to(base)) if absolute else pattern
            for file in sorted(Path(base).glob(relative)):
                try:
                    library = library.with_text(file.read_text(encoding="utf-8"), name=file.name)
                except (OSError, UnicodeDecodeError) as error:
                    raise self._error(f"{file}: {error}", f"$.templates[{number}]") from None
        return library

    def _receivers(self, library: Library) -> dict[str, Receiver]:
        builder = ReceiverBuilder(self._file.global_, library, self._directory, self._source)
        receivers: dict[str, Receiver] = {}
        for number, config in enumerate(self._file.receivers):
            path = f"$.receivers[{number}]"
            if config.name in receivers:
                raise self._error(f"receiver {config.name!r} is given twice", path)
            receivers[config.name] = builder.build(config, path)
        return receivers

    def _route(
        self,
        config: RouteConfig,
        parent: Route,
        path: str,
        receivers: Mapping[str, Receiver],
        intervals: Mapping[str, object],
    ) -> Route:
        receiver = config.receiver or parent.receiver
        if receiver not in receivers:
            raise self._error(f"receiver {receiver!r} is not defined", f"{path}.receiver")
        for name in (*config.mute_time_intervals, *config.active_time_intervals):
            if name not in intervals:
                raise self._error(f"time interval {name!r} is not defined", path)
        matchers = self._matchers(config.matchers, config.match, config.match_re, path)
        is_root = not parent.key
        node = Route(
            identity=path,
            key=str(matchers) if is_root else f"{parent.key}/{matchers}",
            receiver=receiver,
            matchers=matchers,
            group_by=self._group_by(config.group_by, parent, path),
            group_wait_ns=self._inherited(
                config.group_wait, GROUP_WAIT_NS if is_root else parent.group_wait_ns
            ),
            group_interval_ns=self._inherited(
                config.group_interval, GROUP_INTERVAL_NS if is_root else parent.group_interval_ns
            ),
            repeat_interval_ns=self._inherited(
                config.repeat_interval,
                REPEAT_INTERVAL_NS if is_root else parent.repeat_interval_ns,
            ),
            mute_time_intervals=tuple(config.mute_time_intervals),
            active_time_intervals=tuple(config.active_time_intervals),
            continues=config.continue_,
        )
        self._require_positive(node, path)
        children = tuple(
            self._route(child, node, f"{path}.routes[{number}]", receivers, intervals)
            for number, child in enumerate(config.routes)
        )
        return replace(node, children=children)

    def _group_by(
        self, names: Sequence[str] | None, parent: Route, path: str
    ) -> tuple[str, ...] | None:
        if names is None:
            return parent.group_by
        if "..." in names:
            if len(names) > 1:
                raise self._error("`...` stands alone: it is every label", f"{path}.group_by")
            return None
        if len(set(names)) != len(names):
            raise self._error("a label is given twice", f"{path}.group_by")
        return tuple(names)

    def _inherited(self, duration: Duration | None, otherwise_ns: int) -> int:
        return otherwise_ns if duration is None else duration.nanoseconds

    def _require_positive(self, route: Route, path: str) -> None:
        for name in ("group_interval", "repeat_interval"):
            if not getattr(route, f"{name}_ns"):
                raise self._error(f"{name} cannot be zero", f"{path}.{name}")

    def _inhibit_rule(self, rule: InhibitRuleConfig, path: str) -> InhibitRule:
        return InhibitRule(
            source=self._matchers(
                rule.source_matchers, rule.source_match, rule.source_match_re, f"{path}.source"
            ),
            target=self._matchers(
                rule.target_matchers, rule.target_match, rule.target_match_re, f"{path}.target"
            ),
            equal=tuple(rule.equal),
        )

    def _matchers(
        self,
        texts: Sequence[str],
        equal: Mapping[str, str],
        regex: Mapping[str, str],
        path: str,
    ) -> Matchers:
        def read() -> Matchers:
            items: list[Matcher] = [item for text in texts for item in parse_matchers(text)]
            items += [matcher(name, MatchOperator.EQUAL, value) for name, value in equal.items()]
            items += [matcher(name, MatchOperator.REGEX, value) for name, value in regex.items()]
            return matchers_of(items)

        return self._parsed(read, path)

    def _intervals(self) -> dict[str, tuple[TimeInterval, ...]]:
        intervals: dict[str, tuple[TimeInterval, ...]] = {}
        for key in ("time_intervals", "mute_time_intervals"):
            configs: list[TimeIntervalConfig] = getattr(self._file, key)
            for number, config in enumerate(configs):
                path = f"$.{key}[{number}]"
                if config.name in intervals:
                    raise self._error(f"time interval {config.name!r} is given twice", path)
                intervals[config.name] = tuple(
                    self._interval(times, f"{path}.time_intervals[{position}]")
                    for position, times in enumerate(config.time_intervals)
                )
        return intervals

    def _interval(self, times: TimesConfig, path: str) -> TimeInterval:
        def read() -> TimeInterval:
            return TimeInterval(
                minutes=tuple(
                    parse_minutes(part.start_time, part.end_time) for part in times.times
                ),
                weekdays=tuple(parse_span(text, WEEKDAYS, base=0) for text in times.weekdays),
                days_of_month=tuple(parse_span(str(text)) for text in times.days_of_month),
                months=tuple(parse_span(str(text), MONTHS) for text in times.months),
                years=tuple(parse_span(str(text)) for text in times.years),
                zone=parse_zone(times.location),
            )

        return self._parsed(read, path)

    def _parsed(self, read: Callable[[], Parsed], path: str) -> Parsed:
        try:
            return read()
        except ValueError as error:
            raise self._error(str(error), path) from None

    def _error(self, reason: str, path: str) -> ConfigError:
        return ConfigError(reason, source=self._source, path=path)
