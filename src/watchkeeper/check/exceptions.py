"""Exceptions in the files themselves: comments that allow a finding, and say why.

    # watchkeeper: allow for-too-short: because the probe runs every hour

A comment on its own line stands for what follows, with everything that is indented below it; one
behind something for that line and what is indented below it; `allow-file` for the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.finding import Finding, Severity
from watchkeeper.check.source import Place, Source

_COMMENT = re.compile(
    r"#\s*watchkeeper:\s*allow(?P<file>-file)?\s+(?P<checks>[\w-]+(?:\s*,\s*[\w-]+)*)\s*"
    r"(?::\s*(?P<reason>.*\S))?\s*$"
)
_CLOSING = re.compile(r"\s*[)\]}]")


@dataclass(frozen=True, slots=True)
class Allowance:
    """A check that is allowed to find something between two lines, and why."""

    check: str
    reason: str
    place: Place
    first_line: int
    last_line: int

    def covers(self, finding: Finding) -> bool:
        """Whether it stands for a finding."""
        inside = self.first_line <= finding.place.line <= self.last_line
        return self.check == finding.check and inside and finding.place.file == self.place.file


def allowances(source: Source) -> list[Allowance]:
    """Return the exceptions in a file."""
    return list(_allowances(source)) if "watchkeeper:" in source.text else []


def _allowances(source: Source) -> Iterator[Allowance]:
    for number in range(1, source.lines + 1):
        line = source.line(number)
        found = _COMMENT.search(line)
        if found is None:
            continue
        start = source.start_of(number)
        place = source.place(start + found.start(), start + found.end())
        first, last = number, source.lines
        if not found["file"]:
            first = number if line[: found.start()].strip() else _next(source, number)
            last = _end(source, first)
        for check in re.split(r"\s*,\s*", found["checks"]):
            yield Allowance(check, found["reason"] or "", place, first, last)


def _next(source: Source, number: int) -> int:
    """Return the next line that holds more than a comment."""
    for following in range(number + 1, source.lines + 1):
        text = source.line(following).strip()
        if text and not text.startswith("#"):
            return following
    return number


def _end(source: Source, first: int) -> int:
    """Return the last line of what begins on a line: all that is indented deeper."""
    indent = _indent(source.line(first))
    last = first
    for number in range(first + 1, source.lines + 1):
        line = source.line(number)
        if not line.strip():
            continue
        if _indent(line) <= indent:
            closes = _indent(line) == indent and _CLOSING.match(line)
            return number if closes else last
        last = number
    return last


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _without_reason(examined: Examined) -> Iterator[Problem]:
    for source in examined.subjects.sources.values():
        for one in allowances(source):
            if not one.reason:
                yield Problem(one.place, "exception", f"allows {one.check} and does not say why")


CHECKS = (
    Check(
        id="exception-without-reason",
        severity=Severity.ERROR,
        reason="Who reads it later cannot tell whether it still holds.",
        repair="Write the reason behind a colon: # watchkeeper: allow some-check: because ...",
        find=_without_reason,
    ),
    Check(
        id="unused-exception",
        severity=Severity.WARNING,
        reason="It would hide the fault if it came.",
        repair="Delete it.",
        find=None,
    ),
)
