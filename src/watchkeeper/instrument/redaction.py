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
_64_BITS = range(-(2**63), 2**63)
LONGEST_TEXT = 16_384
"""Longer texts are cut: a value of that length is a document, and no document belongs here."""
LONGEST_NAME = 256
_LONGEST_WORD = 256
_DEEPEST = 16
_ROOM_OF_ITEM = 8
"""Characters that a nested number, or what surrounds a text, counts for."""
CUT = "…"
"""Stands where something was left out."""


def whole_text(value: int) -> str:
    """Return an integer as text; Python refuses to write very long ones."""
    try:
        return str(value)
    except ValueError:
        return f"an integer of {value.bit_length()} bits"


class Redactor:
    """Cleans texts and fields, and cuts what is longer than `longest` characters.

    `declared` are the names of fields that never leave.
    """

    def __init__(self, declared: Iterable[str] = (), longest: int = LONGEST_TEXT) -> None:
        self._declared = frozenset(declared)
        self._longest = longest
        self._room = longest
        self.cut = 0
        """How many texts and nested values were cut."""
        self.seen: dict[str, None] = {}
        """Texts that were looked through, and hold nothing."""
        self.harmless_names: set[str] = set()
        """Names of fields whose values may be anything but what `text` finds."""
        self.removed: Counter[str] = Counter()

    def text(self, text: str) -> str:
        """Return `text` without personal data and secrets."""
        if not text or text in self.seen:
            return text
        if len(text) > self._longest:
            text = self._beginning(text)
        cleaned = self._find(text)
        if "%" in cleaned:
            cleaned = self._find_encoded(cleaned)
        if cleaned == text and len(text) <= _LONGEST_REMEMBERED:
            if len(self.seen) >= _REMEMBERED_TEXTS:
                self.seen.clear()
            self.seen[text] = None
        return cleaned

    def stack(self, text: str) -> str:
        """Return a traceback, clean; of a long one the end, which tells where it happened."""
        if len(text) > self._longest:
            self.cut += 1
            text = f"{CUT}\n{text[-self._longest :].partition(chr(10))[2]}"[: self._longest]
        return self.text(text)

    def _beginning(self, text: str) -> str:
        """Return what is kept of a long text: half a mail address would not be known for one."""
        self.cut += 1
        kept = text[: self._longest]
        words = kept[-_LONGEST_WORD:].rsplit(None, 1)
        if len(words) == 2:
            kept = kept[: -len(words[1])].rstrip()
        return kept + CUT

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
        self._room = self._longest
        return self._field(name, value, 0)

    def _field(self, name: str, value: Any, depth: int) -> Any:
        if name in self._declared:
            return self._mark("declared")
        kind = kind_of_name(name)
        if kind:
            return None if value is None else self._mark(kind)
        known = len(self.harmless_names)
        if known < _REMEMBERED_NAMES and type(name) is str and len(name) <= LONGEST_NAME:
            self.harmless_names.add(name)
        plain = type(value)
        if plain is str:
            return self.text(value)
        return value if plain in _NUMBERS else self._value(value, depth)

    def fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return all fields, cleaned."""
        return {name: self.field(name, value) for name, value in fields.items()}

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, bool | int | float) or value is None:
            self._room -= _ROOM_OF_ITEM
            return whole_text(value) if type(value) is int and value not in _64_BITS else value
        if isinstance(value, Mapping):
            pairs: dict[str, Any] = {}
            for key, item in value.items():
                if self._is_full(depth):
                    pairs[CUT] = CUT
                    break
                name = str(key)[:LONGEST_NAME]
                self._room -= len(name) + _ROOM_OF_ITEM
                pairs[name] = self._field(name, item, depth + 1)
            return pairs
        if isinstance(value, list | tuple | set | frozenset):
            items: list[Any] = []
            for item in value:
                if self._is_full(depth):
                    items.append(CUT)
                    break
                items.append(self._value(item, depth + 1))
            return items
        text = self.text(value if isinstance(value, str) else str(value))
        self._room -= len(text) + _ROOM_OF_ITEM
        return text

    def _is_full(self, depth: int) -> bool:
        """Return whether no more of a nested value is taken; counts it, then."""
        full = self._room <= 0 or depth >= _DEEPEST
        self.cut += full
        return full

    def _mark(self, kind: str) -> str:
        self.removed[kind] += 1
        return f"[{kind}]"
