"""What a check says: what is wrong, where, why, and how to repair it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.check.source import Edit, Place


class Severity(StrEnum):
    """How bad a finding is. An error makes the command fail; an information is shown on wish."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault. `subject` names what has it (`alert HighErrorRate`); `reason` says why it is
    one; `fix` holds the edits that mend it, all of them or none."""

    check: str
    severity: Severity
    place: Place
    subject: str
    message: str
    reason: str
    repair: str
    fix: tuple[Edit, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same fault, also after lines were put in above it."""
        parts = (self.check, self.place.file, self.subject, self.message)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    @property
    def sort_key(self) -> tuple[str, int, int, int, str, str]:
        """Findings are shown by file and line, the worst of a place first."""
        place = self.place
        return (
            place.file,
            place.line,
            place.column,
            self.severity.rank,
            self.check,
            self.message,
        )
