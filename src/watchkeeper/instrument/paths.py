"""Paths of requests, looked through for personal data without reading each one anew.

Most paths differ in an id only. A UUID and a number of a few digits between slashes say nothing
about a person, so paths that differ in nothing else are looked through once.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ID = re.compile(
    r"/(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]{1,6})(?![^/])"
)
_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256


class Paths:
    """Cleans paths with `clean`, which returns a text without personal data."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._harmless: set[str] = set()

    def clean(self, path: str) -> str:
        """Return `path` without personal data and secrets."""
        form = _ID.sub("/#", path)
        if form in self._harmless:
            return path
        cleaned = self._clean(path)
        if cleaned == path and len(form) <= _LONGEST_REMEMBERED:
            if len(self._harmless) >= _MOST_REMEMBERED:
                self._harmless.clear()
            self._harmless.add(form)
        return cleaned
