"""Runs every check over what was read, and leaves out what is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from watchkeeper.check.check import Check, Examined, Problem
from watchkeeper.check.exceptions import Allowance, allowances
from watchkeeper.check.finding import Finding
from watchkeeper.check.known import Known
from watchkeeper.check.registry import BY_ID, CHECKS
from watchkeeper.check.settings import Settings
from watchkeeper.check.subject import Subjects, Timing

_UNUSED = BY_ID["unused-exception"]


@dataclass(frozen=True, slots=True)
class Report:
    """The findings, by file and line, and how many were allowed."""

    findings: tuple[Finding, ...]
    allowed: int = 0


def run(subjects: Subjects, known: Known, settings: Settings | None = None) -> Report:
    """Return what the checks find."""
    settings = settings or Settings()
    examined = examine(subjects, known, settings)
    found = sorted(_findings(examined, settings), key=lambda one: one.sort_key)
    exceptions = [one for source in subjects.sources.values() for one in allowances(source)]
    used: set[int] = set()
    left: list[Finding] = []
    for finding in _once(found):
        covering = [one for one in exceptions if one.reason and one.covers(finding)]
        used.update(id(one) for one in covering)
        if not covering and not any(one.covers(finding) for one in settings.allowed):
            left.append(finding)
    allowed = len(list(_once(found))) - len(left)
    left += _unused(exceptions, used, settings)
    return Report(tuple(sorted(left, key=lambda one: one.sort_key)), allowed)


def examine(subjects: Subjects, known: Known, settings: Settings) -> Examined:
    """Return what checks look at."""
    if settings.scrape_seconds is not None:
        timing = subjects.timing or Timing()
        subjects = replace(subjects, timing=replace(timing, scrape_seconds=settings.scrape_seconds))
    labels = known.target_labels | settings.target_labels
    known = Known(known.metrics, known.closed, labels)
    return Examined(subjects, known, settings.all_parameters)


def _findings(examined: Examined, settings: Settings) -> Iterator[Finding]:
    for check in CHECKS:
        if check.find is None or settings.severity(check.id) is None:
            continue
        for problem in check.find(examined):
            yield _finding(check, problem, settings)


def _finding(check: Check, problem: Problem, settings: Settings) -> Finding:
    return Finding(
        check=check.id,
        severity=settings.severity(check.id) or check.severity,
        place=problem.place,
        subject=problem.subject,
        message=problem.message,
        reason=check.reason,
        repair=problem.repair or check.repair,
        fix=problem.fix,
    )


def _once(findings: list[Finding]) -> Iterator[Finding]:
    """Give each fault once, also where two ways lead to it."""
    seen: set[tuple[object, ...]] = set()
    for finding in findings:
        key = (finding.check, finding.place, finding.subject, finding.message)
        if key not in seen:
            seen.add(key)
            yield finding


def _unused(exceptions: list[Allowance], used: set[int], settings: Settings) -> Iterator[Finding]:
    if settings.severity(_UNUSED.id) is None:
        return
    for one in exceptions:
        if id(one) in used or not one.reason:
            continue
        known = one.check in BY_ID
        if known and settings.severity(one.check) is None:
            continue
        message = "finds nothing here" if known else "there is no such check"
        problem = Problem(one.place, "exception", f"{one.check}: {message}")
        yield _finding(_UNUSED, problem, settings)
