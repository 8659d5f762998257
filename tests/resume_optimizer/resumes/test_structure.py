import pytest
from hypothesis import given
from hypothesis import strategies as st

from resume_optimizer.resumes.document import StructuredResume
from resume_optimizer.resumes.extract import FileType, extract_text
from resume_optimizer.resumes.sample import DOCX, PDF, RESUME, RESUMES, read, read_text
from resume_optimizer.resumes.structure import structure

LINES = st.sampled_from(
    [
        "Experience",
        "SKILLS",
        "Summary:",
        "- did a thing in 2019",
        "•",
        "2019 - present",
        "a@b.co",
        "",
        "Engineer | Acme",
        "Languages: Go",
        "wrapped and going on",
        "+49 30 1234567",
        "\xa0",
    ]
)


def test_the_sample_is_read_whole() -> None:
    resume = structure(read_text(RESUME))
    assert resume.contact.name == "Ines Kallweit"
    assert resume.contact.headline == "Platform Engineer"
    assert resume.contact.email == "ines.kallweit@example.com"
    assert resume.contact.phone == "+49 30 5550 0142"
    assert resume.contact.location == "Leipzig, Germany"
    assert [(one.title, one.employer, one.location, one.period) for one in resume.experience] == [
        ("Platform Engineer", "Falterwerk Tickets", "Leipzig", "March 2021 - present"),
        ("Backend Engineer", "Nordlicht Payments", "Hamburg", "August 2017 - February 2021"),
        ("Systems Administrator", "Stadtbahn Rostock", "Rostock", "September 2014 - July 2017"),
    ]
    assert [len(one.bullets) for one in resume.experience] == [6, 5, 3]
    assert resume.skills[:2] == ("Python", "Linux")
    assert resume.education == ("B.Sc. Computer Science, University of Rostock, 2014",)
    assert [section.heading for section in resume.other] == ["Languages"]


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "kind"), [(PDF, FileType.PDF), (DOCX, FileType.DOCX)])
async def test_our_own_documents_are_read_back_as_they_were_written(
    name: str, kind: FileType
) -> None:
    written = structure(read_text(RESUME))
    read_back = structure(await extract_text(read(name), kind))
    assert read_back.experience == written.experience
    assert (read_back.contact, read_back.summary) == (written.contact, written.summary)
    assert (read_back.skills, read_back.education) == (written.skills, written.education)


@pytest.mark.parametrize("name", RESUMES)
def test_every_sample_has_all_its_parts(name: str) -> None:
    resume = structure(read_text(name))
    assert resume.contact.email
    assert resume.summary
    assert resume.skills
    assert resume.education
    assert all(one.title and one.employer and one.period for one in resume.experience)
    assert all(one.bullets for one in resume.experience)


def test_a_label_in_the_skills_is_no_heading() -> None:
    resume = structure("Ada\n\nSkills\nLanguages: Norwegian, English\nTools: Git")
    assert resume.skills == ("Norwegian", "English", "Git")
    assert resume.other == ()


def test_a_wrapped_bullet_is_one_bullet() -> None:
    resume = structure(
        "Ada\nExperience\nEngineer at Mill, 2019 - 2021\n"
        "• Moved every wheel of the great engine to the other side of the\nhouse\n• Slept"
    )
    assert resume.experience[0].bullets == (
        "Moved every wheel of the great engine to the other side of the house",
        "Slept",
    )


def test_text_without_headings_loses_nothing() -> None:
    prose = (
        "I have worked with engines of all kinds since I was a child, and I like them very much."
    )
    resume = structure(f"Ada Byron\n{prose}")
    assert resume.contact.name == "Ada Byron"
    assert resume.summary == prose


@given(st.text(max_size=2000))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(structure(text), StructuredResume)


@given(st.lists(LINES, max_size=60))
def test_any_order_of_lines_is_read_and_can_be_written_and_read_again(lines: list[str]) -> None:
    assert isinstance(structure(structure("\n".join(lines)).text()), StructuredResume)


def heads(text: str) -> list[tuple[str, str, str, str]]:
    return [
        (one.title, one.employer, one.location, one.period) for one in structure(text).experience
    ]


def test_an_employer_above_the_title_is_still_the_employer() -> None:
    text = """JANE DOE
    PROFESSIONAL EXPERIENCE
    Springfield General Hospital                                Springfield, IL
    Registered Nurse                                            Jan 2018 to Present
    • Trained 5 new nurses

    Mercy Clinic                                                Chicago, IL
    Nurse Assistant                                             Jun 2015 to Dec 2017
    • Took vital signs"""
    assert heads(text) == [
        ("Registered Nurse", "Springfield General Hospital", "Springfield, IL",
         "Jan 2018 to Present"),
        ("Nurse Assistant", "Mercy Clinic", "Chicago, IL", "Jun 2015 to Dec 2017"),
    ]  # fmt: skip


def test_markdown_is_read_as_what_it_marks() -> None:
    resume = structure(
        "# John Smith\n**Software Engineer** - Berlin\n## Work Experience\n### Acme Corp\n"
        "*Senior Developer* (2019-2023)\n* Built APIs in Go\n## Skills\n* **Tools:** Docker, Git\n"
    )
    assert resume.contact.name == "John Smith"
    assert resume.experience[0].title == "Senior Developer"
    assert resume.experience[0].employer == "Acme Corp"
    assert resume.experience[0].bullets == ("Built APIs in Go",)
    assert resume.skills == ("Docker", "Git")


def test_a_period_in_front_and_sentences_without_marks_are_read() -> None:
    text = """Name: Anna Berg
    Work history:
    2020 - present: Store manager, Corner Foods, Uppsala
    Responsible for 30 employees and a budget of 4 million.
    2015 - 2020: Cashier, Corner Foods, Uppsala
    Served customers."""
    assert structure(text).contact.name == "Anna Berg"
    assert heads(text) == [
        ("Store manager", "Corner Foods", "Uppsala", "2020 - present"),
        ("Cashier", "Corner Foods", "Uppsala", "2015 - 2020"),
    ]
    assert list(structure(text).bullets()) == [
        "Responsible for 30 employees and a budget of 4 million.",
        "Served customers.",
    ]
