import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resume_optimizer.llm.answer import InvalidAnswerError, read_answer
from resume_optimizer.resumes.sample import RESUME, read_text
from resume_optimizer.resumes.structure import structure

SAMPLE = structure(read_text(RESUME))


def answer(
    summary: str = "Platform engineer who runs Kubernetes.",
    skills: tuple[str, ...] = ("Kubernetes",),
    bullet: str = "Moved 62 services to Kubernetes with Helm",
    **others: Any,
) -> str:
    experience = [{"position": 0, "bullets": [{"source": 1, "text": bullet}]}]
    return json.dumps({"summary": summary, "skills": skills, "experience": experience, **others})


def complaints(text: str) -> str:
    with pytest.raises(InvalidAnswerError) as raised:
        read_answer(text, SAMPLE)
    return str(raised.value)


def test_an_answer_as_asked_for_is_read() -> None:
    read = read_answer(answer(), SAMPLE)
    assert read.skills == ("Kubernetes",)
    assert read.experience[0].bullets[0].source == 1


def test_a_fence_around_the_answer_is_forgiven() -> None:
    assert read_answer(f"```json\n{answer()}\n```", SAMPLE).skills == ("Kubernetes",)


@pytest.mark.parametrize(
    "text", ["", "Certainly! Here it is:", "[]", "{}", '{"summary": 1}', answer(extra=1)]
)
def test_what_is_not_the_json_that_was_asked_for_is_refused(text: str) -> None:
    assert "not the JSON object" in complaints(text)


@pytest.mark.parametrize(
    ("experience", "complaint"),
    [
        ([{"position": 7, "bullets": []}], "no position 7"),
        ([{"position": -1, "bullets": []}], "no position -1"),
        ([{"position": 0, "bullets": []}] * 2, "position is given twice"),
        ([{"position": 0, "bullets": [{"source": 9, "text": "a"}]}], "no bullet 9"),
        ([{"position": 0, "bullets": [{"source": 0, "text": " "}]}], "bullet 0 is empty"),
        ([{"position": 0, "bullets": [{"source": 0, "text": "a"}] * 2}], "bullet is given twice"),
        ([{"position": 0, "bullets": [{"source": 0, "text": "a" * 900}]}], "longer than 800"),
    ],
)
def test_positions_and_bullets_are_those_of_the_resume(experience: Any, complaint: str) -> None:
    assert complaint in complaints(answer(experience=experience))


@pytest.mark.parametrize(
    ("invented", "word"),
    [
        ({"skills": ("Kubernetes", "OpenTelemetry")}, "OpenTelemetry"),
        ({"skills": ("Underwater welding",)}, "Underwater welding"),
        ({"summary": "Platform engineer, formerly at Google."}, "Google"),
        ({"summary": "Platform engineer with 15 years behind her."}, "15"),
        ({"summary": "Platform engineer who knows observability."}, "observability"),
        ({"bullet": "Moved 620 services to Kubernetes"}, "620"),
        ({"bullet": "Moved 62 services for Deutsche Bank"}, "Deutsche"),
        ({"bullet": "Since 2015 moved 62 services"}, "2015"),
    ],
)
def test_what_the_resume_does_not_show_is_refused_and_named(
    invented: dict[str, Any], word: str
) -> None:
    assert repr(word) in complaints(answer(**invented))


def test_other_spellings_of_what_the_resume_shows_are_no_invention() -> None:
    read = read_answer(
        answer(
            summary="Platform engineer. At Falterwerk's ticket shop since March 2021.",
            skills=("K8s", "PostgreSQL", "Amazon Web Services", "helm"),
            bullet="Cut night pages from 31 to 6; moved 62 services to K8s.",
        ),
        SAMPLE,
    )
    assert len(read.skills) == 4


@given(st.text(max_size=300))
def test_any_answer_is_read_or_refused(text: str) -> None:
    with pytest.raises(InvalidAnswerError):
        read_answer(text, SAMPLE)


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=5))
def test_any_summary_and_skills_are_read_or_refused(summary: str, skills: list[str]) -> None:
    text = json.dumps({"summary": summary, "skills": skills, "experience": []})
    try:
        read = read_answer(text, SAMPLE)
    except InvalidAnswerError:
        return
    assert set(read.skills) == set(skills)
