"""Mends files: the edits of findings, those that do not get in each other's way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from watchkeeper.check.finding import Finding
from watchkeeper.check.source import Edit, Source


def fixed(findings: Iterable[Finding], sources: Mapping[str, Source]) -> dict[str, str]:
    """Return the new text of each file that changes.

    A finding is mended whole or not at all: what would overlap with another is left to the next
    run.
    """
    taken: dict[str, list[Edit]] = defaultdict(list)
    for finding in findings:
        known = all(edit.file in sources for edit in finding.fix)
        if known and not any(_overlaps(edit, taken[edit.file]) for edit in finding.fix):
            for edit in finding.fix:
                taken[edit.file].append(edit)
    return {file: _applied(sources[file].text, edits) for file, edits in taken.items() if edits}


def _overlaps(edit: Edit, others: list[Edit]) -> bool:
    return any(
        (edit.start < other.end and other.start < edit.end) or edit.start == other.start
        for other in others
    )


def _applied(text: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    return text
