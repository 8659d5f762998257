"""What a posting asks for, how much of it counts, and which of it a resume shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from resume_optimizer.resumes.skills import Skill, mentions, named

TITLE_WEIGHT = 2.0
"""A skill in the posting's first line (its title) counts double."""
REQUIRED_WEIGHT = 1.5
"""Under a heading like "Requirements"."""
WELCOME_WEIGHT = 0.6
"""Under a heading like "Nice to have"."""
PEOPLE_WEIGHT = 0.5
"""Communication, leadership and the like stand in every posting: they tell postings apart less."""

_REQUIRED = re.compile(
    r"^\W*(?:requirements?|must[- ]haves?|what (?:you|we).{0,12}(?:bring|need|expect)|"
    r"your profile|qualifications|who you are|you have|skills)\b.{0,30}$",
    re.IGNORECASE,
)
_WELCOME = re.compile(
    r"^\W*(?:nice[- ]to[- ]have|bonus|pluses|good to have|preferred|welcome|ideally|"
    r"what (?:would )?help|extra).{0,40}$",
    re.IGNORECASE,
)
_OTHER_HEADING = re.compile(
    r"^\W*(?:about (?:us|the)|benefits|what we offer|we offer|our (?:team|company|stack)|"
    r"responsibilities|what you.ll do|your (?:role|tasks)|the role|how to apply|perks)\b.{0,30}$",
    re.IGNORECASE,
)
_ROLE = re.compile(r"(?:manager|owner|engineer|lead|analyst|master|developer)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Keyword:
    """A skill the posting asks for. `written` is the posting's spelling; `weight` above zero."""

    name: str
    written: str
    weight: float


def posting_keywords(posting: str) -> tuple[Keyword, ...]:
    """Return the skills of a posting, the weightiest first.

    The weight is 1 + log2(times mentioned), times the highest weight of the places it stands in.
    """
    places = _places(posting)
    counts: dict[str, int] = {}
    highest: dict[str, float] = {}
    written: dict[str, str] = {}
    skills: dict[str, Skill] = {}
    for mention in mentions(posting):
        name = mention.skill.name
        skills[name] = mention.skill
        counts[name] = counts.get(name, 0) + 1
        highest[name] = max(highest.get(name, 0.0), _place_weight(places, mention.start))
        written.setdefault(name, _spelling(mention.skill, mention.written))
    keywords = [
        Keyword(
            name,
            written[name],
            round(
                (1 + math.log2(counts[name]))
                * highest[name]
                * (PEOPLE_WEIGHT if skill.group == "people" else 1.0),
                3,
            ),
        )
        for name, skill in skills.items()
    ]
    return tuple(sorted(keywords, key=lambda keyword: (-keyword.weight, keyword.name.casefold())))


def skill_names(text: str) -> frozenset[str]:
    """Return the names of the skills that a text shows, however it spells them."""
    return frozenset(mention.skill.name for mention in mentions(text))


def listed_names(skills: Iterable[str]) -> frozenset[str]:
    """Return the names of the skills in a list of skills; one of it may hold several."""
    found: set[str] = set()
    for skill in skills:
        known = named(skill)
        found |= {known.name} if known else skill_names(skill)
    return frozenset(found)


def _spelling(skill: Skill, written: str) -> str:
    """The posting's spelling when it is one of ours; ours when it is a slip, shouted, or a role:
    a resume that shows product management is not thereby a product manager's.
    """
    tidy = " ".join(written.split())
    known = named(tidy) is skill and not _ROLE.search(tidy)
    return tidy if known and tidy[:1].isupper() and not _shouted(tidy) else skill.name


def _shouted(written: str) -> bool:
    return len(written) > 5 and written.isupper()


def _places(posting: str) -> list[tuple[int, float]]:
    """Where each weight begins, in order."""
    places: list[tuple[int, float]] = []
    at = 0
    for line in posting.splitlines(keepends=True):
        if line.strip():
            if not places:
                places.append((at, TITLE_WEIGHT))
            elif places[-1][1] == TITLE_WEIGHT and len(places) == 1:
                places.append((at, 1.0))
            for pattern, weight in (
                (_WELCOME, WELCOME_WEIGHT),
                (_REQUIRED, REQUIRED_WEIGHT),
                (_OTHER_HEADING, 1.0),
            ):
                if len(places) > 1 and pattern.match(line.strip()):
                    places.append((at, weight))
                    break
        at += len(line)
    return places


def _place_weight(places: list[tuple[int, float]], at: int) -> float:
    weight = 1.0
    for start, candidate in places:
        if start > at:
            break
        weight = candidate
    return weight
