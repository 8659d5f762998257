import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resume_optimizer.llm.answer import read_answer
from resume_optimizer.llm.offline import OfflineProvider, answer_task
from resume_optimizer.llm.prompt import Task, build_request
from resume_optimizer.llm.provider import CompletionRequest, ProviderFailure
from resume_optimizer.resumes.changes import apply
from resume_optimizer.resumes.document import StructuredResume
from resume_optimizer.resumes.keywords import posting_keywords, skill_names
from resume_optimizer.resumes.sample import POSTING, POSTINGS, RESUME, RESUMES, read_text
from resume_optimizer.resumes.score import score
from resume_optimizer.resumes.structure import structure

pytestmark = pytest.mark.anyio

PAIRS = [(resume, posting) for resume in RESUMES for posting in POSTINGS]


async def improved(resume: StructuredResume, posting: str) -> StructuredResume:
    completion = await OfflineProvider().complete(build_request(resume, posting))
    return apply(read_answer(completion.text, resume), resume)[0]


async def test_the_sample_scores_higher_than_before() -> None:
    resume, posting = structure(read_text(RESUME)), read_text(POSTING)
    keywords = posting_keywords(posting)
    before = score(resume, keywords).total
    after = score(await improved(resume, posting), keywords).total
    assert after >= before + 8


@pytest.mark.parametrize(("resume_name", "posting_name"), PAIRS)
async def test_no_pair_scores_lower_and_no_skill_appears_from_nowhere(
    resume_name: str, posting_name: str
) -> None:
    resume, posting = structure(read_text(resume_name)), read_text(posting_name)
    keywords = posting_keywords(posting)
    after = await improved(resume, posting)
    assert score(after, keywords).total >= score(resume, keywords).total
    assert skill_names(after.text()) <= skill_names(resume.text())
    assert sorted(after.bullets()) == sorted(resume.bullets())
    assert words(after.text()) - words(resume.text()) <= allowed_words(posting)


def allowed_words(posting: str) -> set[str]:
    """The posting's spellings of what the resume shows, and the words that join them."""
    written = " ".join(keyword.written for keyword in posting_keywords(posting))
    return {"Hands-on", "with", "and"} | words(written)


def words(text: str) -> set[str]:
    return {word.strip(".,;") for word in text.split()}


async def test_the_posting_s_spelling_and_its_skills_come_first() -> None:
    after = await improved(structure(read_text(RESUME)), read_text(POSTING))
    assert after.skills[0] == "Kubernetes"
    assert after.skills[-1] in {"Ansible", "Flask", "Git", "Jira"}
    assert "Hands-on with Kubernetes" in after.summary


async def test_the_most_relevant_bullet_comes_first() -> None:
    after = await improved(structure(read_text(RESUME)), read_text(POSTING))
    assert [position.bullets[0][:20] for position in after.experience] == [
        "Moved 62 services fr",
        "Brought the p99 late",
        "Ran 85 Linux servers",
    ]


async def test_an_improved_resume_stays_as_it_is() -> None:
    posting = read_text(POSTING)
    once = await improved(structure(read_text(RESUME)), posting)
    again = await improved(once, posting)
    assert (again.skills, again.experience) == (once.skills, once.experience)


async def test_the_same_question_gets_the_same_answer_with_its_tokens() -> None:
    request = build_request(structure(read_text(RESUME)), read_text(POSTING))
    first, second = [await OfflineProvider().complete(request) for _ in range(2)]
    assert first == second
    assert 500 < first.usage.input_tokens < 3000
    assert first.usage.output_tokens > 100
    assert first.usage.estimated


async def test_a_prompt_without_a_task_is_refused() -> None:
    with pytest.raises(ProviderFailure) as raised:
        await OfflineProvider().complete(CompletionRequest("", "Hello", {}))
    assert raised.value.kind == "refused"


@given(st.text(max_size=600), st.text(max_size=300))
def test_whatever_comes_in_the_answer_is_one_that_the_check_lets_through(
    resume_text: str, posting: str
) -> None:
    resume = structure(resume_text)
    if not resume.text().strip():
        return
    text = msgspec.json.encode(answer_task(Task(resume, posting))).decode()
    read_answer(text, resume)


@pytest.mark.parametrize(
    "shape",
    [
        "a" * 200000,
        "x" + " " * 200000 + "y",
        "a." * 100000,
        "Go, " * 50000,
        "*a" * 100000,
        "Experience\n" + "2019 - " * 30000,
        "<" * 200000,
    ],
    ids=["one word", "spaces", "dots", "a long list", "marks", "periods", "brackets"],
)
def test_hostile_text_costs_no_more_than_its_length(shape: str) -> None:
    """Whatever is quadratic in the length of a line would run into the suite's time limit."""
    resume = structure(shape)
    answer = answer_task(Task(resume, read_text(POSTING)))
    assert read_answer(msgspec.json.encode(answer).decode(), resume).summary


def test_a_long_summary_and_long_bullets_of_the_resume_itself_are_kept() -> None:
    sentence = "Kept the trams of the city running through every winter. "
    work = f"Experience\nEngineer | Mill | 2019 - 2020\n- {sentence * 30}"
    text = f"Ada\nSummary\n{sentence * 60}\n{work}"
    resume = structure(text)
    answer = answer_task(Task(resume, read_text(POSTING)))
    assert len(read_answer(msgspec.json.encode(answer).decode(), resume).summary) > 3000
