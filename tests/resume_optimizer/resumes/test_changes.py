from resume_optimizer.llm.answer import Answer, BulletAnswer, PositionAnswer
from resume_optimizer.resumes.changes import apply
from resume_optimizer.resumes.document import Position, StructuredResume

RESUME = StructuredResume(
    summary="Was.",
    skills=("Git", "Python"),
    experience=(Position("Engineer", "Mill", "", "2020 - 2021", ("one", "two", "three")),),
)


def test_an_answer_that_repeats_the_resume_changes_nothing() -> None:
    assert apply(Answer("Was.", ("Git", "Python"), ()), RESUME) == (RESUME, ())


def test_changes_say_what_was_and_what_is() -> None:
    bullets = (BulletAnswer(2, "three, better"), BulletAnswer(0, "one"))
    answer = Answer("Is.", ("Python", "Linux"), (PositionAnswer(0, bullets),))
    resume, changes = apply(answer, RESUME)
    assert resume.experience[0].bullets == ("three, better", "one", "two")
    assert [(one.section, one.kind, one.before, one.after) for one in changes] == [
        ("summary", "rewritten", "Was.", "Is."),
        ("skills", "added", "", "Linux"),
        ("skills", "removed", "Git", ""),
        ("experience", "rewritten", "three", "three, better"),
    ]
    assert changes[-1].place == "Engineer · Mill"


def test_a_new_order_is_one_change() -> None:
    bullets = tuple(BulletAnswer(number, RESUME.experience[0].bullets[number]) for number in (1, 0))
    answer = Answer("Was.", ("Python", "Git"), (PositionAnswer(0, bullets),))
    assert [one.kind for one in apply(answer, RESUME)[1]] == ["reordered", "reordered"]


def test_titles_employers_and_dates_are_the_resume_s_own() -> None:
    answer = Answer("Is.", (), (PositionAnswer(0, (BulletAnswer(0, "new"),)),))
    position = apply(answer, RESUME)[0].experience[0]
    assert (position.title, position.employer, position.period) == (
        "Engineer",
        "Mill",
        "2020 - 2021",
    )


def test_line_breaks_and_control_characters_of_a_model_do_not_get_through() -> None:
    assert apply(Answer("A\x07 b\nc", (), ()), RESUME)[0].summary == "A b c"
