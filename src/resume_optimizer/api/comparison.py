"""Before and after: two resumes side by side, with what is gone and what is new marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from resume_optimizer.resumes.optimise import Optimisation

WORDS = re.compile(r"\s*\S+|\s+")
ALIKE = 0.3
"""From this share of equal words on two lines count as one line that was rewritten."""
MOST_WORDS = 500
"""Of a line that is looked into: the time grows with their square."""
MOST_LINES = 1_000
"""Of a resume whose moved lines are found, for the same reason; a longer one is compared line
by line."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a line; `marked`: it is only on this side."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of either side, in pieces; `kind` is same, changed, gone or new."""

    before: tuple[Piece, ...]
    after: tuple[Piece, ...]
    kind: str


def compare(optimisation: Optimisation) -> tuple[Line, ...]:
    """Return the lines of the resume before and after, next to each other."""
    before = optimisation.original.text().splitlines()
    after = optimisation.resume.text().splitlines()
    lines: list[Line] = []
    if max(len(before), len(after)) > MOST_LINES:
        return tuple(_replaced(before, after))
    matcher = SequenceMatcher(None, before, after)
    for operation, left, left_end, right, right_end in matcher.get_opcodes():
        if operation == "equal":
            lines += map(_same, before[left:left_end])
        else:
            lines += _replaced(before[left:left_end], after[right:right_end])
    return tuple(lines)


def _replaced(before: list[str], after: list[str]) -> list[Line]:
    lines: list[Line | None] = []
    for old, new in zip(before, after, strict=False):
        if old == new:
            lines.append(_same(old))
            continue
        rewritten = _rewritten(WORDS.findall(old), WORDS.findall(new))
        lines += [rewritten] if rewritten else [_gone(old), _new(new)]
    shared = min(len(before), len(after))
    lines += map(_gone, before[shared:])
    lines += map(_new, after[shared:])
    return [line for line in lines if line]


def _rewritten(before: list[str], after: list[str]) -> Line | None:
    if max(len(before), len(after)) > MOST_WORDS:
        return None
    matcher = SequenceMatcher(None, before, after)
    if matcher.ratio() < ALIKE:
        return None
    old, new = [], []
    for operation, left, left_end, right, right_end in matcher.get_opcodes():
        marked = operation != "equal"
        old.append(Piece("".join(before[left:left_end]), marked))
        new.append(Piece("".join(after[right:right_end]), marked))
    return Line(
        tuple(piece for piece in old if piece.text),
        tuple(piece for piece in new if piece.text),
        "changed",
    )


def _same(text: str) -> Line:
    return Line(_plain(text), _plain(text), "same")


def _plain(text: str) -> tuple[Piece, ...]:
    return (Piece(text, False),) if text else ()


def _gone(text: str) -> Line | None:
    return Line((Piece(text, True),), (), "gone") if text else None


def _new(text: str) -> Line | None:
    return Line((), (Piece(text, True),), "new") if text else None
