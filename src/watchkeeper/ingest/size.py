"""Sizes as configuration files write them."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGTPE]i?)?B\Z")
_POWERS = "KMGTPE"


class Size(int):
    """A number of bytes, written `10MB`, `512KiB` or `0` (no limit); units are powers of 1024."""

    __slots__ = ()

    @classmethod
    def from_document(cls, value: object) -> Size:
        """Return the size that a document's value means. Raises ValueError."""
        match = _SIZE.match(str(value))
        if value in (0, "0"):
            return cls(0)
        if match is None:
            raise ValueError(f"{value!r} is not a size: write 10MB or 512KB")
        power = _POWERS.index(match[2][0]) + 1 if match[2] else 0
        return cls(int(float(match[1]) * 1024**power))
