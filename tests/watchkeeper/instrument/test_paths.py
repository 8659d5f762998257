"""Paths: looked through once a form, and never passed over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.instrument.paths import Paths
from watchkeeper.instrument.redaction import Redactor

JOB = "/jobs/0b0e2f1a-1111-4222-8333-0123456789ab/result"
OTHER_JOB = "/jobs/5c77b1de-9f00-4a3c-a111-ba9876543210/result"


def cleaned(paths: Paths, path: str) -> str:
    return paths.clean(path, path.encode())


def test_paths_that_differ_in_an_id_only_are_looked_through_once() -> None:
    seen: list[str] = []

    def clean(text: str) -> str:
        seen.append(text)
        return text

    paths = Paths(clean)
    assert [cleaned(paths, path) for path in (JOB, OTHER_JOB, "/items/1", "/items/234567")] == [
        JOB,
        OTHER_JOB,
        "/items/1",
        "/items/234567",
    ]
    assert seen == [JOB, "/items/1"]


@pytest.mark.parametrize(
    ("harmless", "personal"),
    [
        ("/users/1", "/users/ada@example.org"),
        ("/users/1", "/users/4111111111111111"),
        (JOB, "/jobs/0b0e2f1a-1111-4222-8333-0123456789ab/ada@example.org"),
    ],
)
def test_what_is_personal_is_removed_after_a_harmless_one(harmless: str, personal: str) -> None:
    redactor = Redactor()
    paths = Paths(redactor.text)
    assert cleaned(paths, harmless) == harmless
    assert "[" in cleaned(paths, personal)
    assert "[" in cleaned(paths, personal)
    assert sum(redactor.removed.values()) == 2


SEGMENTS = st.one_of(
    st.integers(0, 10**18).map(str),
    st.uuids().map(str),
    st.sampled_from(["users", "token", "ada@example.org", "0171", "5551234", "4111111111111111"]),
)


@given(st.lists(st.lists(SEGMENTS, max_size=5).map(lambda parts: "/" + "/".join(parts))))
def test_a_path_becomes_what_the_redactor_makes_of_it(all_paths: list[str]) -> None:
    paths = Paths(Redactor().text)
    for path in all_paths:
        assert cleaned(paths, path) == Redactor().text(path)
