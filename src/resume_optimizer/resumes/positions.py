"""The places of work of a resume: title, employer, place, period, and what was done there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from resume_optimizer.resumes.document import Position
from resume_optimizer.resumes.lines import BULLET, LONG_LINE

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
_MOMENT = rf"(?:(?:{_MONTH}\s+|\d{{1,2}}[/.]\s?)?(?:19|20)\d{{2}})"
_PERIOD = re.compile(
    rf"\(?\b{_MOMENT}\s*(?:-|\u2013|\u2014|to|until)\s*(?:{_MOMENT}|present|now|today|current|ongoing)\)?"
    rf"|\(?\bsince\s+{_MOMENT}\)?",
    re.IGNORECASE,
)
_TITLE_BREAK = re.compile(r"\s+[|•·\u2014\u2013]\s+|\s+at\s+|\s+@\s+|\t+|\s{3,}|,\s+")
_ROLE = re.compile(
    r"\b(?:engineer|developer|programmer|architect|administrator|analyst|scientist|designer|"
    r"manager|director|head of|lead|owner|officer|consultant|specialist|coordinator|assistant|"
    r"associate|accountant|teacher|nurse|cashier|clerk|technician|representative|recruiter|"
    r"writer|editor|intern|trainee|apprentice|founder|president|supervisor|agent|driver)\b",
    re.IGNORECASE,
)
_LONG_FIELD = 40  # a longer line under title, employer and place is what was done there


def positions_of(lines: Sequence[str]) -> list[Position]:
    """Read the lines of the experience section, in their order."""
    positions: list[Position] = []
    head: list[str] = []
    bullets: list[str] = []
    wrapped = False
    for line in lines:
        tidy = line.strip()
        if not tidy:
            wrapped = False
        elif BULLET.match(line):
            bullets.append(BULLET.sub("", line).strip())
            wrapped = True
        elif bullets and wrapped and _continues(bullets[-1], tidy):
            bullets[-1] = f"{bullets[-1]} {tidy}"
        else:
            if bullets or _begins_another(head, tidy):
                positions.append(_position(head, bullets))
                head, bullets = [], []
            head.append(tidy)
            wrapped = False
    if head or bullets:
        positions.append(_position(head, bullets))
    return positions


def _continues(previous: str, line: str) -> bool:
    """Whether a line without a mark goes on with the bullet above it."""
    if _PERIOD.search(line):
        return False
    return line[:1].islower() or (
        len(previous) >= LONG_LINE and not previous.endswith((".", "!", "?"))
    )


def _begins_another(head: Sequence[str], line: str) -> bool:
    return bool(_PERIOD.search(line)) and any(_PERIOD.search(earlier) for earlier in head)


def _position(head: Sequence[str], bullets: Sequence[str]) -> Position:
    period = ""
    fields: list[str] = []
    prose: list[str] = []
    for line in head:
        match = _PERIOD.search(line)
        if match and not period:
            period = match.group().strip("()")
            line = f"{line[: match.start()]}   {line[match.end() :]}"
        elif len(fields) >= 2 and (len(line) > _LONG_FIELD or line.endswith(".")):
            prose.append(line)
            continue
        fields += [
            field.strip(" ,:;|\u2013\u2014-()") for field in _TITLE_BREAK.split(f"{line}   ")
        ]
    fields = _role_first([field for field in fields if field])
    title, employer, *place = [*fields, "", ""][: max(2, len(fields))]
    return Position(title, employer, ", ".join(place), period, (*prose, *bullets))


def _role_first(fields: list[str]) -> list[str]:
    """Title, then employer: some resumes name the employer in the line above the title."""
    if fields and not _ROLE.search(fields[0]):
        for number, field in enumerate(fields):
            if _ROLE.search(field):
                return [field, *fields[:number], *fields[number + 1 :]]
    return fields
