"""Relabelling: rules that rewrite the labels of targets and series, or drop them.

Source: prometheus.io, "Configuration", relabel_config. Regexes are RE2, anchored at both ends.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import msgspec

from watchkeeper.errors import ConfigError
from watchkeeper.regex import compile_regex

_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")
_LABEL_NAME = re.compile(r"(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))(?:[a-zA-Z0-9_]|\$(?:\{\w+\}|\w+))*\Z")

Action = Literal[
    "replace",
    "keep",
    "drop",
    "keepequal",
    "dropequal",
    "hashmod",
    "labelmap",
    "labeldrop",
    "labelkeep",
    "lowercase",
    "uppercase",
]


class RelabelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One relabelling rule as it stands in the file."""

    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    target_label: str = ""
    regex: str = "(.*)"
    modulus: int = 0
    replacement: str = "$1"
    action: Action = "replace"


@dataclass(frozen=True, slots=True)
class Relabeler:
    """Rules made ready to run, one after the other."""

    rules: tuple[_Rule, ...]

    @classmethod
    def compile(cls, configs: Sequence[RelabelConfig], *, source: str, path: str) -> Relabeler:
        """Return the rules of a file. Raises ConfigError at `path[n]` in `source`."""
        return cls(
            tuple(
                _Rule.compile(config, source=source, path=f"{path}[{number}]")
                for number, config in enumerate(configs)
            )
        )

    def __bool__(self) -> bool:
        return bool(self.rules)

    def apply(self, labels: Mapping[str, str]) -> dict[str, str] | None:
        """Return the labels after all rules, without empty ones; None if a rule drops them."""
        current = dict(labels)
        for rule in self.rules:
            if not rule.apply(current):
                return None
        return {name: value for name, value in current.items() if value}


@dataclass(frozen=True, slots=True)
class _Rule:
    config: RelabelConfig
    regex: Any

    @classmethod
    def compile(cls, config: RelabelConfig, *, source: str, path: str) -> _Rule:
        needs_target = config.action in (
            "replace",
            "hashmod",
            "lowercase",
            "uppercase",
            "keepequal",
            "dropequal",
        )
        fail = partial(ConfigError, source=source, path=path)
        if unused := _unused(config):
            raise fail(f"action {config.action} does nothing with {unused}: leave it out")
        if needs_target and not _LABEL_NAME.match(config.target_label):
            raise fail(f"action {config.action} needs a `target_label` that is a label name")
        if config.action == "hashmod" and config.modulus < 1:
            raise fail("action hashmod needs a `modulus` of at least 1")
        try:
            return cls(config, compile_regex(config.regex))
        except ValueError as error:
            raise fail(str(error)) from None

    def apply(self, labels: dict[str, str]) -> bool:
        """Change `labels` in place; False says to drop them."""
        value = self.config.separator.join(
            [labels.get(name, "") for name in self.config.source_labels]
        )
        match self.config.action:
            case "keep" | "drop":
                return self._matches(value) == (self.config.action == "keep")
            case "keepequal" | "dropequal":
                equal = value == labels.get(self.config.target_label, "")
                return equal == (self.config.action == "keepequal")
            case "replace":
                self._replace(labels, value)
            case "labelmap" | "labeldrop" | "labelkeep":
                self._change_names(labels)
            case "hashmod":
                labels[self.config.target_label] = _bucket(value, self.config.modulus)
            case "lowercase":
                labels[self.config.target_label] = value.lower()
            case "uppercase":
                labels[self.config.target_label] = value.upper()
        return True

    def _matches(self, text: str) -> bool:
        return self.regex.fullmatch(text) is not None

    def _replace(self, labels: dict[str, str], value: str) -> None:
        match = self.regex.fullmatch(value)
        if match is None:
            return
        target = expand(self.config.target_label, match)
        if _LABEL_NAME.match(target):
            labels[target] = expand(self.config.replacement, match)

    def _change_names(self, labels: dict[str, str]) -> None:
        for name, value in list(labels.items()):
            match = self.regex.fullmatch(name)
            if self.config.action == "labelmap" and match is not None:
                labels[expand(self.config.replacement, match)] = value
            elif self.config.action != "labelmap" and (
                (match is None) == (self.config.action == "labelkeep")
            ):
                del labels[name]


_ONLY_REGEX = ("source_labels", "separator", "target_label", "modulus", "replacement")
_ONLY_EQUALITY = ("separator", "regex", "modulus", "replacement")
_UNUSED = {
    "labeldrop": _ONLY_REGEX,
    "labelkeep": _ONLY_REGEX,
    "keepequal": _ONLY_EQUALITY,
    "dropequal": _ONLY_EQUALITY,
    "lowercase": ("replacement",),
    "uppercase": ("replacement",),
}
"""What an action has no use for (Prometheus, relabel.Config.Validate)."""


def _unused(config: RelabelConfig) -> str:
    """Return the first key that is given and means nothing; '' if there is none."""
    given = (
        key
        for key in _UNUSED.get(config.action, ())
        if getattr(config, key) != getattr(_DEFAULTS, key)
    )
    return next(given, "")


_DEFAULTS = RelabelConfig()


def _bucket(value: str, modulus: int) -> str:
    digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
    return str(int.from_bytes(digest[8:], "big") % modulus)


def expand(template: str, match: Any) -> str:
    """Return a Go regexp template with `$1`, `${1}` and `${name}` filled in from a match."""
    if "$" not in template:
        return template

    def fill(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        try:
            return match.group(int(name) if name.isdigit() else name) or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(fill, template)
