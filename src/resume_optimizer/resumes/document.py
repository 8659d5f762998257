"""What a resume is once it has been read: contact, summary, experience, skills, education."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    """Who the resume is about. `headline` is the line under the name ("Platform engineer")."""

    name: str = ""
    headline: str = ""
    email: str = ""
    phone: str = ""
    location: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """One place of work. `period` is as the resume writes it ("March 2021 - present")."""

    title: str
    employer: str = ""
    location: str = ""
    period: str = ""
    bullets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A section that is kept as it was written: languages, certificates, publications."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StructuredResume:
    """A whole resume. Every part may be empty: resumes are written by people."""

    contact: Contact = Contact()
    summary: str = ""
    skills: tuple[str, ...] = ()
    experience: tuple[Position, ...] = ()
    education: tuple[str, ...] = ()
    other: tuple[Section, ...] = ()

    def bullets(self) -> Iterator[str]:
        """Yield every bullet of every position, in order."""
        for position in self.experience:
            yield from position.bullets

    def text(self) -> str:
        """Return the resume as plain text, one thing a line; what `structure` reads back."""
        return "\n".join(_lines(self)).strip() + "\n"


def _lines(resume: StructuredResume) -> Iterator[str]:
    contact = resume.contact
    yield from (line for line in (contact.name, contact.headline) if line)
    reach = (contact.email, contact.phone, contact.location, *contact.links)
    yield " | ".join(part for part in reach if part)
    if resume.summary:
        yield from ("", "Summary", resume.summary)
    if resume.skills:
        yield from ("", "Skills", ", ".join(resume.skills))
    if resume.experience:
        yield from ("", "Experience")
    for position in resume.experience:
        head = (position.title, position.employer, position.location, position.period)
        yield " | ".join(part for part in head if part)
        yield from (f"- {bullet}" for bullet in position.bullets)
        yield ""
    if resume.education:
        yield from ("", "Education", *resume.education)
    for section in resume.other:
        yield from ("", section.heading, *section.lines)


EMPTY = StructuredResume()
"""A resume that says nothing."""
