"""An answer put into the resume, and what that changed, so that a person can see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from resume_optimizer.llm.answer import Answer, PositionAnswer
from resume_optimizer.resumes.document import Position, StructuredResume

ChangeKind = Literal["rewritten", "added", "removed", "reordered"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `section` is "summary", "skills" or "experience"; `place` says where in it."""

    section: str
    kind: ChangeKind
    before: str
    after: str
    place: str = ""


def apply(answer: Answer, resume: StructuredResume) -> tuple[StructuredResume, tuple[Change, ...]]:
    """Return the resume with a valid answer in it, and the changes.

    Contact, titles, employers, dates, education and other sections are the resume's own, always;
    bullets that the answer leaves out stay, after the others.
    """
    positions = list(resume.experience)
    for one in answer.experience:
        positions[one.position] = _position(positions[one.position], one)
    improved = replace(
        resume,
        summary=_line(answer.summary),
        skills=tuple(dict.fromkeys(_line(skill) for skill in answer.skills if skill.strip()))
        or resume.skills,
        experience=tuple(positions),
    )
    return improved, tuple(_changes(resume, improved))


def _position(position: Position, answer: PositionAnswer) -> Position:
    bullets = [_line(bullet.text) for bullet in answer.bullets]
    given = {bullet.source for bullet in answer.bullets}
    left = [text for number, text in enumerate(position.bullets) if number not in given]
    return replace(position, bullets=(*bullets, *left))


def _line(text: str) -> str:
    """One line of printable text: what a model writes is not trusted to be that."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _changes(before: StructuredResume, after: StructuredResume) -> list[Change]:
    changes: list[Change] = []
    if before.summary != after.summary:
        kind: ChangeKind = "rewritten" if before.summary else "added"
        changes.append(Change("summary", kind, before.summary, after.summary))
    had = {skill.casefold() for skill in before.skills}
    has = {skill.casefold() for skill in after.skills}
    changes += [
        Change("skills", "added", "", skill)
        for skill in after.skills
        if skill.casefold() not in had
    ]
    changes += [
        Change("skills", "removed", skill, "")
        for skill in before.skills
        if skill.casefold() not in has
    ]
    if had == has and before.skills != after.skills:
        changes.append(
            Change("skills", "reordered", ", ".join(before.skills), ", ".join(after.skills))
        )
    for old, new in zip(before.experience, after.experience, strict=True):
        changes += _bullet_changes(old, new)
    return changes


def _bullet_changes(old: Position, new: Position) -> list[Change]:
    place = " · ".join(part for part in (old.title, old.employer) if part)
    if old.bullets == new.bullets:
        return []
    if sorted(old.bullets) == sorted(new.bullets):
        before, after = "\n".join(old.bullets), "\n".join(new.bullets)
        return [Change("experience", "reordered", before, after, place)]
    before_only = [bullet for bullet in old.bullets if bullet not in new.bullets]
    after_only = [bullet for bullet in new.bullets if bullet not in old.bullets]
    return [
        Change("experience", "rewritten", was, now, place)
        for was, now in zip(before_only, after_only, strict=False)
    ]
