"""Known findings that are let be: only what is new is told. Matched by content, not by line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from watchkeeper.check.finding import Finding
from watchkeeper.errors import ConfigError

_VERSION = 1


def write_baseline(findings: Iterable[Finding], path: Path) -> None:
    """Write the findings to a file, so that a later run leaves them out."""
    entries = [
        {
            "check": one.check,
            "file": one.place.file,
            "subject": one.subject,
            "message": one.message,
            "fingerprint": one.fingerprint,
        }
        for one in findings
    ]
    text = json.dumps({"version": _VERSION, "findings": entries}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def without_known(findings: Iterable[Finding], path: Path) -> tuple[Finding, ...]:
    """Return the findings that a baseline does not have; one that occurs again is new.

    Raises ConfigError where the file is no baseline.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        known = Counter(str(entry["fingerprint"]) for entry in document["findings"])
        version = document["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"is no baseline ({error}); write one anew", source=str(path)) from None
    if version != _VERSION:
        raise ConfigError(f"is of version {version}; write it anew", source=str(path))
    new = []
    for finding in findings:
        if known[finding.fingerprint]:
            known[finding.fingerprint] -= 1
        else:
            new.append(finding)
    return tuple(new)
