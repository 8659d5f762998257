"""What kind of company hires, by its posting."""

from __future__ import annotations

import pytest

from resume_optimizer.jobs.company import company_type


@pytest.mark.parametrize(
    ("posting", "kind"),
    [
        (
            "We are an early-stage startup, seed funded, and look for a founding engineer.",
            "startup",
        ),
        ("A Fortune 500 company with 12,000 employees worldwide.", "enterprise"),
        ("Our client, on behalf of whom we hire, is a leader in shipping.", "agency"),
        ("The City of Lindenau hires for its municipal government.", "public"),
        ("We bake bread and need somebody for the ovens.", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_words_of_a_posting_tell(posting: str, kind: str) -> None:
    assert company_type(posting) == kind
    assert company_type(posting.upper()) == kind


def test_parts_of_other_words_do_not_tell() -> None:
    assert company_type("We are reseeding meadows near the enterprising village.") == "unknown"
