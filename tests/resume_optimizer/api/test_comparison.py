"""Before and after, side by side."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resume_optimizer.api.comparison import Line, compare
from resume_optimizer.resumes.document import StructuredResume
from resume_optimizer.resumes.optimise import Optimisation


def optimisation(before: str, after: str) -> Optimisation:
    return Optimisation(
        resume=StructuredResume(summary=after),
        original=StructuredResume(summary=before),
        score_before=0,
        score_after=0,
        matched_keywords=(),
        missing_keywords=(),
        changes=(),
        calls=(),
    )


def side(lines: tuple[Line, ...], name: str) -> list[str]:
    texts = ["".join(piece.text for piece in getattr(line, name)) for line in lines]
    return [text for text in texts if text]


def test_what_is_new_in_a_line_is_marked() -> None:
    lines = compare(optimisation("I build servers in Go", "I build fast servers in Go"))

    changed = next(line for line in lines if line.kind == "changed")
    assert [piece.text.strip() for piece in changed.after if piece.marked] == ["fast"]
    assert not any(piece.marked for piece in changed.before)


def test_a_line_that_has_nothing_in_common_is_gone_and_another_is_new() -> None:
    kinds = [line.kind for line in compare(optimisation("I like tea", "Served nine ships"))]

    assert "gone" in kinds
    assert "new" in kinds
    assert "changed" not in kinds


@given(before=st.text("ab c\n", max_size=60), after=st.text("ab c\n", max_size=60))
def test_no_word_of_either_side_is_lost(before: str, after: str) -> None:
    given = optimisation(before, after)

    lines = compare(given)

    def full(resume: StructuredResume) -> list[str]:
        return [line for line in resume.text().splitlines() if line]

    assert side(lines, "before") == full(given.original)
    assert side(lines, "after") == full(given.resume)


@pytest.mark.parametrize(
    ("before", "after"),
    [("a b. " * 30_000, "a b. " * 30_000 + "More."), ("a\n" * 50_000, "b\n" * 50_000 + "a\n")],
    ids=["one endless line", "endless lines"],
)
def test_an_endless_resume_does_not_keep_others_waiting(before: str, after: str) -> None:
    """Compared each with each, they would outlast the limit that every test has."""
    assert compare(optimisation(before, after))
