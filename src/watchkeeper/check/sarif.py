"""Findings as SARIF 2.1.0 (OASIS), which code hosts and editors read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from watchkeeper.check.check import Check
from watchkeeper.check.finding import Finding, Severity
from watchkeeper.check.registry import CHECKS
from watchkeeper.check.source import Edit, Source

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_NUMBERS = {check.id: number for number, check in enumerate(CHECKS)}


def as_sarif(findings: Sequence[Finding], sources: dict[str, Source], version: str) -> str:
    """Return a log of one run; `version` is the program's."""
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "watchkeeper",
                        "version": version,
                        "rules": [_rule(check) for check in CHECKS],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, sources) for one in findings],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "shortDescription": {"text": check.reason},
        "help": {"text": check.repair},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {"tags": [check.family]},
    }


def _result(finding: Finding, sources: dict[str, Source]) -> dict[str, Any]:
    place = finding.place
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": _NUMBERS[finding.check],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.subject}: {finding.message}. {finding.repair}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(place.file)},
                    "region": {
                        "startLine": place.line,
                        "startColumn": place.column,
                        "endLine": place.end_line,
                        "endColumn": place.end_column,
                    },
                }
            }
        ],
        "partialFingerprints": {"watchkeeper/v1": finding.fingerprint},
    }
    if finding.fix and all(edit.file in sources for edit in finding.fix):
        changes = [_change(edit, sources[edit.file]) for edit in finding.fix]
        result["fixes"] = [{"description": {"text": finding.repair}, "artifactChanges": changes}]
    return result


def _change(edit: Edit, source: Source) -> dict[str, Any]:
    place = source.place(edit.start, edit.end)
    return {
        "artifactLocation": {"uri": _uri(edit.file)},
        "replacements": [
            {
                "deletedRegion": {
                    "startLine": place.line,
                    "startColumn": place.column,
                    "endLine": place.end_line,
                    "endColumn": place.end_column,
                },
                "insertedContent": {"text": edit.replacement},
            }
        ],
    }


def _uri(file: str) -> str:
    return quote(PurePath(file).as_posix())
