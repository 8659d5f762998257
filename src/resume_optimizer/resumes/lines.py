"""Lines of a resume as people, word processors and PDF make them, brought to one shape."""

from __future__ import annotations

import re
from collections.abc import Sequence

BULLET = re.compile(r"^\s*(?:[-*•‣▪●◦\u2013\u2014·►▸○■□➢✓]|--|\uf0b7|o(?=\s{2,}))\s+")
_BARE_BULLET = re.compile(r"^\s*(?:--|[-*•‣▪●◦\u2013\u2014·►▸○■□➢✓\uf0b7])\s*$")
_WIDE_SPACE = re.compile(r"[^\S\r\n]{9,}")
_MARKDOWN = re.compile(r"(?<!\w)(\*\*|__|\*|`)(?=\S)([^*_`\n]+)(?<=\S)\1(?!\w)")
_MARKDOWN_HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)
LONG_LINE = 60
"""A line this long was probably wrapped by the page, not ended by its author."""


def tidy_lines(text: str) -> list[str]:
    """Return lines with odd spaces and Markdown's marks made plain, and a bullet mark that stands
    on a line of its own joined to its text.
    """
    plain = _WIDE_SPACE.sub("        ", text)  # keeps every later pattern quick
    plain = plain.replace("\u00a0", " ").replace("\u200b", "").replace("\x00", "")
    plain = _MARKDOWN.sub(r"\2", _MARKDOWN_HEADING.sub("", plain))
    lines: list[str] = []
    for line in plain.splitlines():
        if lines and _BARE_BULLET.match(lines[-1]) and line.strip():
            lines[-1] = f"- {line.strip()}"
        else:
            lines.append(line.rstrip())
    return lines


def joined(lines: Sequence[str]) -> list[str]:
    """Return the lines without marks and blanks, wrapped ones put together again."""
    whole: list[str] = []
    for line in lines:
        tidy = " ".join(BULLET.sub("", line).split())
        if not tidy:
            continue
        if whole and tidy[:1].islower() and not BULLET.match(line):
            whole[-1] = f"{whole[-1]} {tidy}"
        else:
            whole.append(tidy)
    return whole
