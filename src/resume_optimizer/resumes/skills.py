"""The list of skills, and where they stand in a text: pyahocorasick, with rapidfuzz for typos."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import ahocorasick
from rapidfuzz import fuzz, process

LEAST_SIMILARITY = 90
"""Indel similarity (0..100) above which a word is a misspelt skill: one slip in a word of nine."""

_SHORTEST_MISSPELT = 8
_LONGEST_LEAD = 24
_WORD = re.compile(r"[^\W\d_][\w.-]+")
_EXACT_BEFORE = re.compile(
    r"(?:[,;:|/(•·\-]\s*|\b(?:in|and|or|with|using|of)\s+|^\s*)\Z", re.MULTILINE
)
_EXACT_AFTER = re.compile(r"\s*(?:[,;|/)•·.\n]|\Z|\s(?:and|or|is|as)\b)")


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill of the list. `exact` ones keep their capitals ("Go") and stand in lists."""

    name: str
    group: str
    spellings: tuple[str, ...]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """A skill at a place of a text; `written` is how the text spells it."""

    skill: Skill
    start: int
    written: str


@cache
def skills() -> tuple[Skill, ...]:
    """Return the list of `skills.txt`, in its order."""
    found: list[Skill] = []
    group = ""
    text = files("resume_optimizer.resumes").joinpath("skills.txt").read_text("utf-8")
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            group = line.strip("[] ")
            continue
        name, _, others = line.partition(":")
        exact = name.startswith("!")
        spellings = tuple(other.strip() for other in others.split(",") if other.strip())
        found.append(Skill(name.lstrip("!").strip(), group, spellings, exact))
    return tuple(found)


def mentions(text: str) -> list[Mention]:
    """Return where skills stand in a text, by place; overlapping ones give way to the longest."""
    folded = _folded(text)
    found: list[Mention] = []
    for last, (skill, spelling) in _automaton().iter(folded):
        start, end = last - len(spelling) + 1, last + 1
        if _is_word(folded, start, end) and (
            spelling != skill.name.casefold()
            or not skill.exact
            or _stands_exact(text, skill, start)
        ):
            found.append(Mention(skill, start, text[start:end]))
    return _longest(found + _misspelt(text, folded, found))


def named(name: str) -> Skill | None:
    """Return the skill that a name or another spelling of it means, or None."""
    return _by_spelling().get(" ".join(name.split()).casefold())


def _folded(text: str) -> str:
    """Lower case, character for character, so that places stay what they are."""
    return "".join(
        " " if char.isspace() else low if len(low := char.lower()) == 1 else char for char in text
    )


@cache
def _automaton() -> Any:
    automaton = ahocorasick.Automaton()
    for spelling, skill in _by_spelling().items():
        automaton.add_word(spelling, (skill, spelling))
    automaton.make_automaton()
    return automaton


@cache
def _by_spelling() -> dict[str, Skill]:
    found: dict[str, Skill] = {}
    for skill in skills():
        for spelling in (skill.name, *skill.spellings):
            found.setdefault(spelling.casefold(), skill)
    return found


@cache
def _long_spellings() -> dict[str, Skill]:
    return {
        spelling: skill
        for spelling, skill in _by_spelling().items()
        if len(spelling) >= _SHORTEST_MISSPELT and spelling.isalpha()
    }


def _is_word(text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    beyond = text[end + 1] if end + 1 < len(text) else " "
    if before.isalnum() or before in "_@" or after.isalnum() or after in "_+#@":
        return False
    return not (before == "." or (after == "." and beyond.isalnum()))


def _stands_exact(text: str, skill: Skill, start: int) -> bool:
    end = start + len(skill.name)
    if text[start:end] != skill.name:
        return False
    line_start = max(text.rfind("\n", 0, start) + 1, start - _LONGEST_LEAD)
    return bool(_EXACT_BEFORE.search(text[line_start:start])) and bool(
        _EXACT_AFTER.match(text, end)
    )


def _longest(found: list[Mention]) -> list[Mention]:
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda one: (one.start, -len(one.written))):
        if not kept or mention.start >= kept[-1].start + len(kept[-1].written):
            kept.append(mention)
    return kept


def _misspelt(text: str, folded: str, found: list[Mention]) -> list[Mention]:
    taken = {mention.start for mention in found}
    known = _long_spellings()
    misspelt: list[Mention] = []
    for match in _WORD.finditer(folded):
        word = match.group().rstrip(".-")
        if len(word) < _SHORTEST_MISSPELT or match.start() in taken or word in known:
            continue
        near = process.extractOne(
            word, known.keys(), scorer=fuzz.ratio, score_cutoff=LEAST_SIMILARITY
        )
        if near and near[0][0] == word[0] and abs(len(near[0]) - len(word)) <= 1:
            start = match.start()
            misspelt.append(Mention(known[near[0]], start, text[start : start + len(word)]))
    return misspelt
