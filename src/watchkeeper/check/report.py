"""Findings as text, JSON and annotations of GitHub's checks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from watchkeeper.check.finding import Finding, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def as_text(findings: Sequence[Finding]) -> str:
    """Return findings for people: place, fault, why, repair; and how many there are."""
    blocks = [
        f"{one.place}: {one.severity} [{one.check}] {one.subject}: {one.message}\n"
        f"    why: {one.reason}\n"
        f"    repair: {one.repair}{'  (--fix does it)' if one.fix else ''}\n"
        for one in findings
    ]
    return "".join([*blocks, summary(findings), "\n"])


def summary(findings: Sequence[Finding]) -> str:
    """Return how many findings there are of each severity."""
    counts = Counter(one.severity for one in findings)
    parts = [_counted(counts[severity], severity.value) for severity in Severity]
    return ", ".join(part for part in parts if part) or "nothing found"


def _counted(number: int, what: str) -> str:
    if not number:
        return ""
    return f"{number} {what}{'s' if number > 1 and what != 'info' else ''}"


def as_json(findings: Sequence[Finding]) -> str:
    """Return findings as a JSON array of objects."""
    return json.dumps([_object(one) for one in findings], indent=2, ensure_ascii=False) + "\n"


def _object(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "check": finding.check,
        "severity": finding.severity.value,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "subject": finding.subject,
        "message": finding.message,
        "reason": finding.reason,
        "repair": finding.repair,
        "fixable": bool(finding.fix),
        "fingerprint": finding.fingerprint,
    }


def as_github(findings: Sequence[Finding]) -> str:
    """Return findings as workflow commands, which GitHub shows at their lines."""
    return "".join(_command(one) for one in findings)


def _command(finding: Finding) -> str:
    place = finding.place
    properties = {
        "file": place.file,
        "line": place.line,
        "col": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
        "title": finding.check,
    }
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    message = f"{finding.subject}: {finding.message}. {finding.repair}"
    return f"::{_COMMANDS[finding.severity]} {listed}::{_escaped(message)}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
