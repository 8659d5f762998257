"""Whether an answer is what was asked for, and holds nothing that the resume does not show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from resume_optimizer.resumes.document import StructuredResume
from resume_optimizer.resumes.keywords import skill_names
from resume_optimizer.resumes.skills import mentions, named

MOST_SUMMARY_CHARACTERS = 1_500
MOST_BULLET_CHARACTERS = 800
MOST_SKILLS = 60
MOST_COMPLAINTS = 12
"""A longer list does not make the next answer better."""

_FENCE = re.compile(r"\A\s*```(?:json)?\s*(.*?)\s*```\s*\Z", re.DOTALL)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_WORD = re.compile(r"[^\W_][\w'\u2019&+#./-]*")
_SENTENCE = re.compile(r"(?:\A|[.!?:;]\s+|\n)\W*\Z")
_LONGEST_LEAD = 24


class BulletAnswer(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A bullet in its new wording; `source` is its number in the position, from 0."""

    source: int
    text: str


class PositionAnswer(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The bullets of one position in their new order; `position` is its number, from 0."""

    position: int
    bullets: tuple[BulletAnswer, ...]


class Answer(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a model is asked for."""

    summary: str
    skills: tuple[str, ...]
    experience: tuple[PositionAnswer, ...]


class InvalidAnswerError(Exception):
    """An answer that cannot be used; `complaints` say why, for the model's next try."""

    def __init__(self, complaints: Iterable[str]) -> None:
        self.complaints = tuple(complaints)[:MOST_COMPLAINTS]
        super().__init__("; ".join(self.complaints))


def read_answer(text: str, resume: StructuredResume) -> Answer:
    """Return a model's answer, or raise InvalidAnswerError: wrong shape, or something invented."""
    fenced = _FENCE.match(text)
    try:
        answer = msgspec.json.decode(fenced.group(1) if fenced else text, type=Answer)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise InvalidAnswerError(
            [f"it is not the JSON object that was asked for: {error}"]
        ) from None
    complaints = list(_shape(answer, resume)) or list(_inventions(answer, resume))
    if complaints:
        raise InvalidAnswerError(complaints)
    return answer


def _shape(answer: Answer, resume: StructuredResume) -> Iterator[str]:
    if not answer.summary.strip():
        yield "the summary is empty"
    most = max(MOST_SUMMARY_CHARACTERS, 2 * len(resume.summary))
    if len(answer.summary) > most:
        yield f"the summary is longer than {most} characters"
    if len(answer.skills) > MOST_SKILLS + len(resume.skills):
        yield f"there are more than {MOST_SKILLS} skills"
    positions = [one.position for one in answer.experience]
    if len(set(positions)) != len(positions):
        yield "a position is given twice"
    for one in answer.experience:
        if not 0 <= one.position < len(resume.experience):
            yield f"there is no position {one.position} in the resume"
            continue
        yield from _bullet_shape(one, resume.experience[one.position].bullets)


def _bullet_shape(one: PositionAnswer, originals: tuple[str, ...]) -> Iterator[str]:
    sources = [bullet.source for bullet in one.bullets]
    if len(set(sources)) != len(sources):
        yield f"position {one.position}: a bullet is given twice"
    for bullet in one.bullets:
        if not 0 <= bullet.source < len(originals):
            yield f"position {one.position}: there is no bullet {bullet.source}"
            continue
        if not bullet.text.strip():
            yield f"position {one.position}: bullet {bullet.source} is empty"
        most = max(MOST_BULLET_CHARACTERS, 2 * len(originals[bullet.source]))
        if len(bullet.text) > most:
            yield (
                f"position {one.position}: bullet {bullet.source} is longer than {most} characters"
            )


def _inventions(answer: Answer, resume: StructuredResume) -> Iterator[str]:
    known = _Known(resume)
    for skill in answer.skills:
        if not known.skill(skill):
            yield f"the resume does not show the skill {skill!r}"
    texts = [("the summary", answer.summary)]
    texts += [
        (f"position {one.position}, bullet {bullet.source}", bullet.text)
        for one in answer.experience
        for bullet in one.bullets
    ]
    for place, text in texts:
        for invented in known.inventions(text):
            yield f"{place} says {invented!r}, which the resume does not"


class _Known:
    """What a resume shows: its words, figures and skills."""

    def __init__(self, resume: StructuredResume) -> None:
        text = resume.text()
        self._text = " ".join(text.casefold().split())
        self._words = {
            part for word in _WORD.findall(text) for part in (_plain(word), *_parts(word))
        }
        self._figures = set(_FIGURE.findall(text))
        self._skills = skill_names(text)

    def skill(self, skill: str) -> bool:
        known = named(skill)
        if known is not None:
            return known.name in self._skills
        folded = " ".join(skill.casefold().split())
        return (
            bool(folded) and re.search(rf"(?<!\w){re.escape(folded)}(?!\w)", self._text) is not None
        )

    def inventions(self, text: str) -> list[str]:
        """Return the figures, skills and proper names of a text that the resume lacks."""
        found = [figure for figure in _FIGURE.findall(text) if figure not in self._figures]
        shown = mentions(text)
        found += [one.written for one in shown if one.skill.name not in self._skills]
        covered = {
            place for one in shown for place in range(one.start, one.start + len(one.written))
        }
        for match in _WORD.finditer(text):
            if match.start() in covered or _begins_sentence(text, match.start()):
                continue
            word = match.group().rstrip("./'-")
            if word[0].isupper() and not self._shows(word):
                found.append(word)
        return list(dict.fromkeys(found))

    def _shows(self, word: str) -> bool:
        return _plain(word) in self._words or all(part in self._words for part in _parts(word))


def _begins_sentence(text: str, start: int) -> bool:
    return bool(_SENTENCE.search(text[max(0, start - _LONGEST_LEAD) : start]))


def _plain(word: str) -> str:
    folded = word.casefold().rstrip("./-'\u2019")
    return re.sub(r"['\u2019]s\Z", "", folded)


def _parts(word: str) -> list[str]:
    return [part for part in re.split(r"[\W_]+", word.casefold()) if part]
