from hypothesis import given
from hypothesis import strategies as st

from resume_optimizer.resumes.html_text import html_text


def test_a_page_becomes_the_text_a_person_reads() -> None:
    page = """<!doctype html><html><head><title>x</title><style>p{}</style></head><body>
    <nav>Home</nav><h1>Engineer &amp; more</h1><p>We use <b>Python</b>
    and Go.</p><ul><li>One<li>Two</li></ul><script>alert("<p>no</p>")</script><br>End</body>"""
    assert html_text(page) == "Engineer & more\nWe use Python and Go.\n- One\n- Two\nEnd\n"


def test_a_page_that_never_closes_its_head_still_has_a_body() -> None:
    assert html_text("<head><title>x</title><body><p>Words") == "Words\n"


@given(st.text(alphabet="<>/!-ab &;'\"=\n", max_size=400))
def test_any_markup_is_read_without_an_error(html: str) -> None:
    html_text(html)
