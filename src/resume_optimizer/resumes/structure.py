"""Resume text to sections, by headings and by the shape of lines; never fails, whatever comes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from resume_optimizer.resumes.contact import contact_of
from resume_optimizer.resumes.document import Section, StructuredResume
from resume_optimizer.resumes.lines import BULLET, joined, tidy_lines
from resume_optimizer.resumes.positions import positions_of

HEADINGS = {
    "summary": (
        "summary", "professional summary", "executive summary", "profile", "about", "about me",
        "objective", "career objective", "personal statement", "professional profile",
    ),
    "experience": (
        "experience", "work experience", "professional experience", "employment",
        "employment history", "work history", "career history", "relevant experience",
    ),
    "skills": (
        "skills", "technical skills", "key skills", "core skills", "core competencies",
        "competencies", "technologies", "areas of expertise", "expertise", "skills and tools",
        "tools and technologies", "technical expertise",
    ),
    "education": (
        "education", "education and training", "academic background", "qualifications",
    ),
    "other": (
        "certifications", "certificates", "languages", "projects", "personal projects",
        "publications", "awards", "honours", "honors", "interests", "volunteering",
        "volunteer experience", "references", "patents", "open source", "talks", "courses",
        "training", "memberships", "hobbies", "additional information",
    ),
}  # fmt: skip
"""Headings as resumes write them, by the part they begin."""

_KIND_OF = {heading: kind for kind, headings in HEADINGS.items() for heading in headings}
_SKILL_BREAK = re.compile(r"[,;|•·\t]|\s{3,}")


def structure(text: str) -> StructuredResume:
    """Read a resume. What no rule understands is kept in `other`; nothing is thrown away."""
    head, parts = _split(text)
    summary, skills, experience, education = [], [], [], []
    other: list[Section] = []
    for kind, heading, lines in parts:
        if kind == "summary":
            summary += lines
        elif kind == "skills":
            skills += lines
        elif kind == "experience":
            experience += lines
        elif kind == "education":
            education += lines
        elif any(line.strip() for line in lines):
            other.append(Section(heading, tuple(joined(lines))))
    contact, rest = contact_of(head)
    return StructuredResume(
        contact=contact,
        summary=" ".join(" ".join([*rest, *summary]).split()),
        skills=_skills(skills),
        experience=tuple(positions_of(experience)),
        education=tuple(joined(education)),
        other=tuple(other),
    )


def _split(text: str) -> tuple[list[str], list[tuple[str, str, list[str]]]]:
    head: list[str] = []
    parts: list[tuple[str, str, list[str]]] = []
    current = head
    for line in tidy_lines(text):
        heading, inline = _heading(line)
        kind = _KIND_OF.get(heading.casefold().replace("&", "and"))
        if kind is None or (inline and kind == "other"):
            current.append(line)
            continue
        current = [inline] if inline else []
        parts.append((kind, heading, current))
    return head, parts


def _heading(line: str) -> tuple[str, str]:
    """Return a line's possible heading and what follows it on the same line ("Skills: Go, C")."""
    bare = line.strip().strip("#*=_-\u2014\u2013•").strip()
    before, colon, after = bare.partition(":")
    return (before.strip(), after.strip()) if colon else (bare, "")


def _skills(lines: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for line in lines:
        bare = BULLET.sub("", line).strip()
        label, colon, listed = bare.partition(":")
        if colon and listed.strip() and len(label.split()) <= 4:
            bare = listed
        for skill in _SKILL_BREAK.split(bare):
            tidy = skill.strip(" .\t")
            if tidy:
                found.setdefault(tidy.casefold(), tidy)
    return tuple(found.values())
