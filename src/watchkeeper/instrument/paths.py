"""Paths of requests, looked through for personal data without reading each one anew.

Most paths differ in an id only. A UUID and a number of a few digits between slashes say nothing
about a person, so paths that differ in nothing else are looked through once.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ONE_ID = "(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]{1,6})"
_ID = re.compile(
    r"/(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]{1,6})(?![^/])"
)
_HEX_TO_ZERO = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_UUID_OF_ZEROS = b"00000000-0000-0000-0000-000000000000"
_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 256


class Paths:
    """Cleans paths with `clean`, which returns a text without personal data."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._harmless: set[str] = set()
        self._before_ids: set[bytes] = set()

    def clean(self, path: str, text: bytes) -> str:
        """Return `path`, of which `text` is the UTF-8, without personal data and secrets."""
        # Most ids are the last part: to look at that alone takes a third of the time.
        before, _, last = text.rpartition(b"/")
        if before in self._before_ids and (
            last.translate(_HEX_TO_ZERO) == _UUID_OF_ZEROS or (last.isdigit() and len(last) <= 6)
        ):
            return path
        form = _ID.sub("/#", path)
        if form in self._harmless:
            return path
        cleaned = self._clean(path)
        if cleaned == path and len(form) <= _LONGEST_REMEMBERED:
            if len(self._harmless) >= _MOST_REMEMBERED:
                self._harmless.clear()
                self._before_ids.clear()
            self._harmless.add(form)
            if form.encode() == before + b"/#":
                self._before_ids.add(before)
        return cleaned
