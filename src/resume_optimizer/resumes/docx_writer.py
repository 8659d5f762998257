"""A resume as a Word document, by python-docx: real headings and lists, so that parsers read it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from resume_optimizer.resumes.document import Position, StructuredResume

_FONT = "Calibri"
_INK = RGBColor(0x1F, 0x29, 0x37)
_ACCENT = RGBColor(0x1E, 0x4E, 0x79)
_QUIET = RGBColor(0x5B, 0x65, 0x73)
_TEXT_WIDTH = Cm(21.0 - 2 * 2.0)


def write_docx(resume: StructuredResume) -> bytes:
    """Return the resume as DOCX, A4, one to two pages. CPU-bound, some 40 ms."""
    document = Document()
    _set_up(document, resume.contact.name)
    _contact(document, resume)
    if resume.summary:
        document.add_heading("Summary", 1)
        _paragraph(document, resume.summary)
    if resume.skills:
        document.add_heading("Skills", 1)
        _paragraph(document, "  ·  ".join(resume.skills))
    if resume.experience:
        document.add_heading("Experience", 1)
    for position in resume.experience:
        _position(document, position)
    if resume.education:
        document.add_heading("Education", 1)
        for line in resume.education:
            _paragraph(document, line)
    for section in resume.other:
        document.add_heading(_clean(section.heading).capitalize(), 1)
        for line in section.lines:
            _paragraph(document, line)
    body = BytesIO()
    document.save(body)
    return body.getvalue()


def _set_up(document: Any, name: str) -> None:
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21.0), Cm(29.7)
    page.left_margin = page.right_margin = Cm(2.0)
    page.top_margin = page.bottom_margin = Cm(1.8)
    document.core_properties.title = _clean(f"Resume of {name}" if name else "Resume")
    document.core_properties.author = _clean(name)[:255]
    for style, size, color in (
        ("Normal", 10.5, _INK),
        ("Title", 24, _ACCENT),
        ("Heading 1", 12, _ACCENT),
        ("Heading 2", 11, _INK),
        ("List Bullet", 10.5, _INK),
    ):
        _font(document.styles[style], size, color)
    normal = document.styles["Normal"].paragraph_format
    normal.space_after, normal.line_spacing = Pt(3), 1.1
    heading = document.styles["Heading 1"].paragraph_format
    heading.space_before, heading.space_after, heading.keep_with_next = Pt(12), Pt(4), True
    _rule_below(document.styles["Heading 1"])
    place = document.styles["Heading 2"].paragraph_format
    place.space_before, place.space_after, place.keep_with_next = Pt(6), Pt(1), True
    place.tab_stops.add_tab_stop(_TEXT_WIDTH, WD_TAB_ALIGNMENT.RIGHT)
    bullet = document.styles["List Bullet"].paragraph_format
    bullet.space_after = Pt(2)
    title = document.styles["Title"].paragraph_format
    title.space_after = Pt(0)
    for border in document.styles["Title"].element.iter(qn("w:pBdr")):
        border.getparent().remove(border)
        break


def _font(style: Any, size: float, color: RGBColor) -> None:
    style.font.name, style.font.size, style.font.color.rgb = _FONT, Pt(size), color
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), _FONT)


def _rule_below(style: Any) -> None:
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "2"), ("color", "B8C4D0")):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    style.element.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:outlineLvl"
    )


def _contact(document: Any, resume: StructuredResume) -> None:
    contact = resume.contact
    document.add_paragraph(_clean(contact.name) or "Resume", style="Title")
    if contact.headline:
        headline = document.add_paragraph().add_run(_clean(contact.headline))
        headline.font.size, headline.font.color.rgb = Pt(13), _INK
    reach = (contact.email, contact.phone, contact.location, *contact.links)
    line = "   |   ".join(_clean(part) for part in reach if part)
    if line:
        run = document.add_paragraph().add_run(line)
        run.font.size, run.font.color.rgb = Pt(9.5), _QUIET


def _position(document: Any, position: Position) -> None:
    heading = document.add_paragraph(style="Heading 2")
    heading.add_run(_clean(position.title))
    where = ", ".join(_clean(part) for part in (position.employer, position.location) if part)
    if where:
        heading.add_run(f"  |  {where}").bold = False
    if position.period:
        period = heading.add_run(f"\t{_clean(position.period)}")
        period.bold, period.font.size, period.font.color.rgb = False, Pt(9.5), _QUIET
    for bullet in position.bullets:
        document.add_paragraph(_clean(bullet), style="List Bullet")


def _paragraph(document: Any, text: str) -> None:
    document.add_paragraph(_clean(text))


def _clean(text: str) -> str:
    """Text without the control characters and lone surrogates that XML cannot hold."""
    return "".join(
        char if char.isprintable() and char not in "\ufffe\uffff" else " " for char in text
    ).strip()
