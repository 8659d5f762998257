"""Personal data and secrets are taken out before anything leaves the process, counted by kind.

What is found becomes `[email]`, `[token]` and so on. Job ids, trace ids, UUIDs, versions, times
and figures stay: patterns are bounded, cards must pass their check digit and begin like a card,
and numbers that are no text are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from watchkeeper.instrument.echoes import ECHO_HINTS, find_echoes
from watchkeeper.instrument.secrets import SECRET_HINTS, find_secrets, kind_of_name
from watchkeeper.instrument.sensitive_text import find_personal

Replace = Callable[[str], str]

_REMEMBERED_TEXTS = 8192
_REMEMBERED_NAMES = 1024
_LONGEST_REMEMBERED = 256
_MOST_ENCODINGS = 3
"""So often may an address be encoded in another one."""

_NUMBERS = frozenset((bool, int, float))
LONGEST_TEXT = 16_384
"""Longer texts are cut: a value of that length is a document, and no document belongs here."""


class Redactor:
    """Cleans texts and fields. `declared` are the names of fields that never leave."""

    def __init__(self, declared: Iterable[str] = ()) -> None:
        self._declared = frozenset(declared)
        self.seen: dict[str, None] = {}
        """Texts that were looked through, and hold nothing."""
        self.harmless_names: set[str] = set()
        """Names of fields whose values may be anything but what `text` finds."""
        self.removed: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """Return `text` without personal data and secrets."""
        if not text or text in self.seen:
            return text
        if len(text) > LONGEST_TEXT:
            text = text[:LONGEST_TEXT] + "…"
        cleaned = self._find(text)
        if "%" in cleaned:
            cleaned = self._find_encoded(cleaned)
        if cleaned == text and len(text) <= _LONGEST_REMEMBERED:
            if len(self.seen) >= _REMEMBERED_TEXTS:
                self.seen.clear()
            self.seen[text] = None
        return cleaned

    def _find(self, text: str) -> str:
        lowered = text.lower()
        if any(map(lowered.__contains__, ECHO_HINTS)):
            text = find_echoes(text, self._mark)
        if any(map(lowered.__contains__, SECRET_HINTS)):
            text = find_secrets(text, self._mark)
        return find_personal(text, lowered, self._mark)

    def _find_encoded(self, text: str) -> str:
        """Return a text that holds percent-encoded parts, of a URL, clean; decoded if anything
        had to go."""
        decoded = text
        for _ in range(_MOST_ENCODINGS):
            before, decoded = decoded, unquote(decoded)
            if decoded == before:
                break
            cleaned = self._find(decoded)
            if cleaned != decoded:
                text = decoded = cleaned
        return text

    def field(self, name: str, value: Any) -> Any:
        """Return a field's value, cleaned by its name and by what it holds."""
        if name in self._declared:
            return self._mark("declared")
        kind = kind_of_name(name)
        if kind:
            return None if value is None else self._mark(kind)
        if type(name) is str and len(self.harmless_names) < _REMEMBERED_NAMES:
            self.harmless_names.add(name)
        plain = type(value)
        if plain is str:
            return self.text(value)
        return value if plain in _NUMBERS else self._value(value)

    def fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return all fields, cleaned."""
        return {name: self.field(name, value) for name, value in fields.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bool | int | float) or value is None:
            return value
        if isinstance(value, Mapping):
            return {str(name): self.field(str(name), item) for name, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(item) for item in value]
        return self.text(str(value))

    def _mark(self, kind: str) -> str:
        self.removed[kind] += 1
        return f"[{kind}]"
