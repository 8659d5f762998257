from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from resume_optimizer.resumes.document import EMPTY
from resume_optimizer.resumes.keywords import posting_keywords
from resume_optimizer.resumes.sample import POSTING, RESUME, read_text
from resume_optimizer.resumes.score import score
from resume_optimizer.resumes.structure import structure

KEYWORDS = posting_keywords(read_text(POSTING))
RESUME_READ = structure(read_text(RESUME))


def test_a_resume_of_nothing_scores_nothing() -> None:
    assert score(EMPTY, KEYWORDS).total == 0


def test_the_parts_add_up_and_each_says_why() -> None:
    whole = score(RESUME_READ, KEYWORDS)
    assert whole.total == round(sum(part.points for part in whole.parts))
    assert sum(part.most_points for part in whole.parts) == 100
    assert all(part.explanation for part in whole.parts)
    assert "Terraform" in whole.matched
    assert "OpenTelemetry" in whole.missing


def test_a_keyword_in_the_skills_counts_more_than_one_in_a_bullet() -> None:
    listed = replace(RESUME_READ, skills=(*RESUME_READ.skills, "Terraform"))
    before, after = score(RESUME_READ, KEYWORDS).parts[0], score(listed, KEYWORDS).parts[0]
    assert after.points > before.points


def test_a_missing_section_costs_points_and_is_named() -> None:
    without = replace(RESUME_READ, education=())
    part = score(without, KEYWORDS).parts[1]
    assert (part.points, part.explanation) == (12.0, "missing: education")


def test_a_posting_without_known_keywords_is_scored_on_the_rest() -> None:
    assert score(RESUME_READ, ()).total == 100


@given(st.text(max_size=500), st.text(max_size=500))
def test_every_score_lies_between_0_and_100(resume: str, posting: str) -> None:
    assert 0 <= score(structure(resume), posting_keywords(posting)).total <= 100
