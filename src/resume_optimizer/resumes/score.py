"""How well a resume answers a posting, 0 to 100, with the reasons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from resume_optimizer.resumes.document import StructuredResume
from resume_optimizer.resumes.keywords import Keyword, listed_names, skill_names

KEYWORD_POINTS = 60.0
"""For the posting's keywords, by weight."""
SECTION_POINTS = 15.0
"""For the parts that readers look for: contact, summary, skills, experience, education."""
FIGURE_POINTS = 15.0
"""For bullets that say how much: with FIGURE_SHARE of them all points are given."""
LENGTH_POINTS = 10.0
"""For one to two pages: LEAST_WORDS to MOST_WORDS words."""

PROMINENT_CREDIT = 1.0
"""A keyword in the summary or the list of skills, where people and filters look first."""
BURIED_CREDIT = 0.5
"""A keyword that only a bullet or another section mentions."""
FIGURE_SHARE = 0.5
LEAST_WORDS = 200
MOST_WORDS = 900

_FIGURE = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One part of a score: `points` of `most_points`, and why."""

    name: str
    points: float
    most_points: float
    explanation: str


@dataclass(frozen=True, slots=True)
class Score:
    """A whole score: `total` from 0 to 100, and its parts."""

    total: int
    parts: tuple[ScorePart, ...]
    matched: tuple[str, ...]
    missing: tuple[str, ...]


def score(resume: StructuredResume, keywords: Sequence[Keyword]) -> Score:
    """Score a resume against a posting's keywords.

    A posting without a known keyword is scored on the other parts alone, scaled to 100.
    """
    prominent = listed_names(resume.skills) | skill_names(
        f"{resume.contact.headline}\n{resume.summary}"
    )
    everywhere = prominent | skill_names(resume.text())
    matched = tuple(keyword.name for keyword in keywords if keyword.name in everywhere)
    missing = tuple(keyword.name for keyword in keywords if keyword.name not in everywhere)
    parts = [_sections(resume), _figures(resume), _length(resume)]
    if keywords:
        parts.insert(0, _coverage(keywords, prominent, everywhere))
    most = sum(part.most_points for part in parts)
    total = round(100 * sum(part.points for part in parts) / most)
    return Score(min(100, max(0, total)), tuple(parts), matched, missing)


def _coverage(
    keywords: Sequence[Keyword], prominent: frozenset[str], everywhere: frozenset[str]
) -> ScorePart:
    whole = sum(keyword.weight for keyword in keywords)
    credit = sum(
        keyword.weight * (PROMINENT_CREDIT if keyword.name in prominent else BURIED_CREDIT)
        for keyword in keywords
        if keyword.name in everywhere
    )
    shown = sum(keyword.name in everywhere for keyword in keywords)
    first = sum(keyword.name in prominent for keyword in keywords)
    return ScorePart(
        "keywords",
        round(KEYWORD_POINTS * credit / whole, 1),
        KEYWORD_POINTS,
        f"{shown} of the posting's {len(keywords)} keywords are there, "
        f"{first} of them in the summary or the skills",
    )


def _sections(resume: StructuredResume) -> ScorePart:
    there = {
        "contact": bool(resume.contact.name and (resume.contact.email or resume.contact.phone)),
        "summary": bool(resume.summary),
        "skills": bool(resume.skills),
        "experience": bool(resume.experience),
        "education": bool(resume.education),
    }
    absent = [name for name, present in there.items() if not present]
    return ScorePart(
        "sections",
        round(SECTION_POINTS * (len(there) - len(absent)) / len(there), 1),
        SECTION_POINTS,
        f"missing: {', '.join(absent)}" if absent else "every section is there",
    )


def _figures(resume: StructuredResume) -> ScorePart:
    bullets = list(resume.bullets())
    with_figures = sum(bool(_FIGURE.search(bullet)) for bullet in bullets)
    share = with_figures / len(bullets) if bullets else 0.0
    return ScorePart(
        "figures",
        round(FIGURE_POINTS * min(1.0, share / FIGURE_SHARE), 1),
        FIGURE_POINTS,
        f"{with_figures} of {len(bullets)} bullets say how much",
    )


def _length(resume: StructuredResume) -> ScorePart:
    words = len(resume.text().split())
    share = min(1.0, words / LEAST_WORDS, MOST_WORDS / max(words, 1))
    return ScorePart(
        "length",
        round(LENGTH_POINTS * share, 1),
        LENGTH_POINTS,
        f"{words} words; one to two pages are {LEAST_WORDS} to {MOST_WORDS}",
    )
