from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resume_optimizer.resumes.skills import mentions, named, skills


def found(text: str) -> list[str]:
    return [mention.skill.name for mention in mentions(text)]


def test_the_list_holds_several_hundred_skills_each_once() -> None:
    names = Counter(skill.name.casefold() for skill in skills())
    assert len(names) > 400
    assert [name for name, count in names.items() if count > 1] == []


def test_every_skill_finds_itself_by_every_spelling() -> None:
    for skill in skills():
        for spelling in skill.spellings:
            assert named(spelling) is not None, spelling
        assert named(skill.name) is skill


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We run k8s with kube", ["Kubernetes", "Kubernetes"]),
        ("C++, C# and C", ["C++", "C#", "C"]),
        ("JavaScript is not Java.", ["JavaScript", "Java"]),
        ("Spring Boot before Spring", ["Spring Boot"]),
        ("Node.js.", ["Node.js"]),
        ("Continuous\nIntegration", ["CI/CD"]),
        ("Kuberentes and Postgressql", ["Kubernetes", "PostgreSQL"]),
        ("PYTHON", ["Python"]),
    ],
)
def test_skills_are_found_however_they_are_spelt(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    ["Go to the page and go home", "a pythonic javanese", "user@java.example", "the r in the word"],
)
def test_words_that_only_look_like_skills_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_go_is_a_language_where_it_stands_in_a_list() -> None:
    assert found("Python, Go, Rust") == ["Python", "Go", "Rust"]
    assert found("Experience with Python or Go.") == ["Python", "Go"]


@given(st.text(max_size=2000))
def test_every_mention_stands_where_it_says(text: str) -> None:
    for mention in mentions(text):
        assert text[mention.start :].startswith(mention.written)
