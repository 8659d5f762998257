from dataclasses import replace
from io import BytesIO

import docx
import pypdf
import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resume_optimizer.resumes.document import EMPTY, Contact, Position, Section, StructuredResume
from resume_optimizer.resumes.docx_writer import write_docx
from resume_optimizer.resumes.pdf_writer import write_pdf
from resume_optimizer.resumes.sample import DOCX, PDF, RESUME, read, read_text
from resume_optimizer.resumes.structure import structure

SAMPLE = structure(read_text(RESUME))
MARKUP = '#read("/etc/passwd") *bold* $x$ \\ @cite <label> #{1+1} <w:p> & ]]>'


def pdf_words(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def docx_words(data: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in docx.Document(BytesIO(data)).paragraphs)


def resume_saying(text: str) -> StructuredResume:
    return StructuredResume(
        contact=Contact(text, text, text, text, text, (text,)),
        summary=text,
        skills=(text, text),
        experience=(Position(text, text, text, text, (text,)),),
        education=(text,),
        other=(Section(text, (text,)),),
    )


def test_a_pdf_is_one_page_tagged_with_its_language_and_its_fonts() -> None:
    reader = pypdf.PdfReader(BytesIO(write_pdf(SAMPLE)))
    assert len(reader.pages) == 1
    root = reader.root_object
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"] == "en"
    assert reader.metadata is not None
    assert reader.metadata.title == "Resume of Ines Kallweit"
    for font in reader.pages[0]["/Resources"]["/Font"].values():
        descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor.get_object())


def test_a_word_file_has_real_headings_and_lists() -> None:
    document = docx.Document(BytesIO(write_docx(SAMPLE)))
    styles = [paragraph.style.name for paragraph in document.paragraphs]
    assert styles[0] == "Title"
    assert styles.count("Heading 1") == 5
    assert styles.count("Heading 2") == 3
    assert styles.count("List Bullet") == 14


@pytest.mark.parametrize("write", [write_pdf, write_docx])
def test_a_resume_of_nothing_is_still_a_document(write: object) -> None:
    assert callable(write)
    assert write(EMPTY)


def test_text_that_looks_like_markup_is_text() -> None:
    resume = replace(EMPTY, summary=MARKUP, skills=(MARKUP,))
    assert " ".join(pdf_words(write_pdf(resume)).split()).count('#read("/etc/passwd") *bold*') == 2
    assert docx_words(write_docx(resume)).count(MARKUP) == 2


def test_the_same_resume_gives_the_same_pdf() -> None:
    assert write_pdf(SAMPLE) == write_pdf(SAMPLE)


def test_the_committed_samples_say_what_their_source_says() -> None:
    assert pdf_words(read(PDF)) == pdf_words(write_pdf(SAMPLE))
    assert docx_words(read(DOCX)) == docx_words(write_docx(SAMPLE))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_any_text_can_be_written(text: str) -> None:
    assert write_docx(resume_saying(text)).startswith(b"PK")
    assert write_pdf(resume_saying(text)).startswith(b"%PDF")
