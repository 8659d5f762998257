"""The optimiser that needs no network: deterministic, and only from what the resume says."""

from __future__ import annotations

import re

import msgspec

from resume_optimizer.llm.answer import MOST_SKILLS, Answer, BulletAnswer, PositionAnswer
from resume_optimizer.llm.prompt import Task, read_task
from resume_optimizer.llm.provider import Completion, CompletionRequest, ProviderFailure
from resume_optimizer.llm.tokens import estimate_usage
from resume_optimizer.resumes.document import Position, StructuredResume
from resume_optimizer.resumes.keywords import (
    Keyword,
    listed_names,
    posting_keywords,
    skill_names,
)

MOST_SUMMARY_KEYWORDS = 6
"""How many keywords the summary takes up: more reads as a list, not as a person."""
MOST_OPENING_CHARACTERS = 300
"""A title longer than this is not one: the text was not read rightly."""

_FIGURE = re.compile(r"\d")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


class OfflineProvider:
    """Answers the application's own prompts, in the shape that any other model is asked for."""

    name = "offline"
    model = "offline"

    async def complete(self, request: CompletionRequest) -> Completion:
        task = read_task(request.user)
        if task is None:
            raise ProviderFailure("refused", "the prompt holds no resume and no posting")
        text = msgspec.json.encode(answer_task(task)).decode()
        return Completion(text, estimate_usage(request, text), self.model)

    async def close(self) -> None:
        """Nothing is held."""


def answer_task(task: Task) -> Answer:
    """Return the optimised parts of the task's resume. The same task, the same answer."""
    resume = task.resume
    shown = skill_names(resume.text())
    matched = tuple(
        [one for one in posting_keywords(task.posting) if one.name in shown][:MOST_SKILLS]
    )
    return Answer(
        summary=_summary(resume, matched),
        skills=_skills(resume, matched),
        experience=tuple(
            PositionAnswer(number, _bullets(position, matched))
            for number, position in enumerate(resume.experience)
        ),
    )


def _skills(resume: StructuredResume, matched: tuple[Keyword, ...]) -> tuple[str, ...]:
    """What the posting asks for and the resume shows, in the posting's spelling; then the rest."""
    named = {keyword.name for keyword in matched}
    rest = [
        skill
        for skill in resume.skills
        if not (names := listed_names((skill,))) or not names <= named
    ]
    return (*(keyword.written for keyword in matched), *rest)


def _bullets(position: Position, matched: tuple[Keyword, ...]) -> tuple[BulletAnswer, ...]:
    """Every bullet as it was, the most relevant first; equals keep their order."""
    order = sorted(
        range(len(position.bullets)),
        key=lambda number: -_relevance(position.bullets[number], matched),
    )
    return tuple(BulletAnswer(number, position.bullets[number]) for number in order)


def _relevance(text: str, matched: tuple[Keyword, ...]) -> float:
    names = skill_names(text)
    weight = sum(keyword.weight for keyword in matched if keyword.name in names)
    return weight + (0.5 if _FIGURE.search(text) else 0.0)


def _summary(resume: StructuredResume, matched: tuple[Keyword, ...]) -> str:
    """The first sentence as it is, the others by relevance, then the skills not yet named."""
    sentences = _SENTENCE_END.split(resume.summary) if resume.summary else [_opening(resume)]
    first, *others = sentences
    others.sort(key=lambda sentence: -_relevance(sentence, matched))
    text = " ".join([first, *others]).strip()
    unnamed = skill_names(f"{resume.contact.headline}\n{text}")
    lacking = [keyword for keyword in matched if keyword.name not in unnamed]
    if not lacking:
        return text
    if text and text[-1] not in ".!?":
        text += "."
    return f"{text} Hands-on with {_listed(lacking[:MOST_SUMMARY_KEYWORDS])}.".strip()


def _opening(resume: StructuredResume) -> str:
    """A first sentence for a resume without a summary, from its headline and latest position."""
    latest = resume.experience[0] if resume.experience else Position("")
    what = resume.contact.headline or latest.title
    if len(what) + len(latest.title) + len(latest.employer) > MOST_OPENING_CHARACTERS:
        return "A resume."
    where = f" at {latest.employer}" if latest.title and latest.employer else ""
    if not what:
        return f"Resume of {resume.contact.name}." if resume.contact.name else "A resume."
    if what == latest.title:
        return f"{what}{where}."
    return f"{what}, most recently {latest.title}{where}." if latest.title else f"{what}."


def _listed(keywords: list[Keyword]) -> str:
    *most, last = [keyword.written for keyword in keywords]
    return f"{', '.join(most)} and {last}" if most else last
