"""Configuration files: YAML read strictly, so that what is misspelt is an error and not a wish.

The formats are those of Prometheus and Alertmanager: unknown keys, keys given twice and values
of the wrong kind are ConfigErrors that name the file and the place in it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import yaml

from watchkeeper.errors import ConfigError

MASK = "<secret>"
"""What stands for a secret wherever it might be seen."""

Configuration = TypeVar("Configuration")

_UNITS_MS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_DURATION = re.compile("".join(rf"(?:(\d+){unit})?" for unit in _UNITS_MS))
_PLACE = re.compile(r"(?s)(.*) - at `(key in )?(.*)`\Z")


class Duration(float):
    """A stretch of time in seconds, written as Prometheus does: `90s`, `1h30m`, `2w`, `100ms`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Return the duration that `text` means. Raises ValueError that says how to write one."""
        match = _DURATION.fullmatch(text)
        if text == "0":
            return cls(0)
        if not text or match is None:
            raise ValueError(f"{text!r} is not a duration: write 30s, 5m or 1h30m")
        milliseconds = sum(
            int(amount) * unit
            for amount, unit in zip(match.groups(), _UNITS_MS.values(), strict=True)
            if amount is not None
        )
        return cls(milliseconds / 1000)

    @property
    def nanoseconds(self) -> int:
        """The duration in nanoseconds, exact to the millisecond."""
        return round(float(self) * 1000) * 1_000_000

    def __str__(self) -> str:
        rest = round(float(self) * 1000)
        if rest == 0:
            return "0s"
        parts: list[str] = []
        for unit, size in _UNITS_MS.items():
            exact = unit in ("y", "w") and rest % size
            if rest >= size and not exact:
                parts.append(f"{rest // size}{unit}")
                rest %= size
        return "".join(parts)


class Secret:
    """A text that must not be seen: it prints as <secret>. `reveal()` where it is used."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; never put it into a message."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class SecretUrl(Secret):
    """An http(s) address that holds a secret: it prints as its origin and `/<secret>`, which is
    still an address, so that a configuration with secrets masked can be read again."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        try:
            parts = urlsplit(self._text)
        except ValueError:
            return MASK
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return MASK
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/{MASK}"


def revealed(secret: Secret | None, file: str | Path) -> str:
    """Return a secret as given, or as its file holds it now; '' where there is neither.

    Raises OSError and UnicodeError: who asks knows what the secret is for.
    """
    if secret is not None:
        return secret.reveal()
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


def read_yaml(path: Path) -> object:
    """Return what a YAML file holds. Raises ConfigError: unreadable, not YAML, a key twice."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), source=str(path))
    except OSError as error:
        raise ConfigError(
            f"cannot be read ({error.strerror}); is the path right?", source=str(path)
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 at byte {error.start}", source=str(path)) from None


def parse_yaml(text: str, *, source: str) -> object:
    """Return what YAML text holds; `source` names it in errors."""
    try:
        return yaml.load(text, _StrictLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(error.problem or "is not YAML", source=source, path=where) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"is not YAML: {error}", source=source) from None


def convert(document: object, to: type[Configuration], *, source: str) -> Configuration:
    """Return a YAML document as `to`, a msgspec type. Raises ConfigError with the place."""
    try:
        return msgspec.convert(document, to, dec_hook=_from_text)
    except msgspec.ValidationError as error:
        match = _PLACE.match(str(error))
        reason, path = (match[1], match[3]) if match else (str(error), "")
        raise ConfigError(
            reason.replace("Object contains u", "u"), source=source, path=path
        ) from None


def dump_yaml(configuration: object) -> str:
    """Return a configuration as YAML text, with every secret masked."""
    plain = msgspec.to_builtins(configuration, enc_hook=_to_text)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def _from_text(kind: type[Any], value: object) -> object:
    if kind in (Duration, Secret, SecretUrl):
        if not isinstance(value, str):
            raise ValueError(f"expected text, got {type(value).__name__}: put it in quotes")
        return Duration.parse(value) if kind is Duration else kind(value)
    reader = getattr(kind, "from_document", None)
    if reader is None:
        raise NotImplementedError(f"no way to read a {kind.__name__}")
    return reader(value)


def _to_text(value: object) -> object:
    return str(value)


class _StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which also refuses a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)
