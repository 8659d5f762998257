"""The text of a Word document, by docx2python. Only the sandbox runs this."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import Any

from docx2python import docx2python
from docx2python.depth_collector import Par

from resume_optimizer.resumes.sandbox_answer import UnreadableError

MOST_ENTRIES = 1_000
MOST_EXPANDED_BYTES = 60 * 1024 * 1024
MOST_RATIO = 150
"""Expanded to compressed. Word's XML comes to 10 or 20; only above SMALL_BYTES does it matter."""
SMALL_BYTES = 1024 * 1024

_NEEDED = frozenset({"_rels/.rels", "word/document.xml"})
_BULLET = re.compile(r"^\t*--\t")
_NUMBERED = re.compile(r"^\t*(\d+\)|[a-z]\)|[ivx]+\))\t")


def docx_text(data: bytes) -> str:
    """Return the text: body, tables, headers and footers. Raises UnreadableError with its code."""
    if not data.startswith(b"PK"):
        raise UnreadableError("file_password_protected")
    _check_sizes(data)
    with docx2python(BytesIO(data)) as content:
        parts = (content.header_pars, content.body_pars, content.footer_pars)
        lines = [line for part in parts for line in _lines(part)]
    return "\n".join(lines)


def _check_sizes(data: bytes) -> None:
    """Look at what the archive says it unpacks to; zipfile never unpacks more than that."""
    try:
        entries = zipfile.ZipFile(BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise UnreadableError("file_damaged") from error
    expanded = sum(entry.file_size for entry in entries)
    if len(entries) > MOST_ENTRIES or expanded > MOST_EXPANDED_BYTES:
        raise UnreadableError("file_expands_too_much")
    if expanded > SMALL_BYTES and expanded > MOST_RATIO * len(data):
        raise UnreadableError("file_expands_too_much")
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableError("file_password_protected")
    if not {entry.filename for entry in entries} >= _NEEDED:
        raise UnreadableError("file_damaged")


def _lines(part: Any) -> list[str]:
    """docx2python gives tables of rows of cells of paragraphs; a body is a table of one cell."""
    if not isinstance(part, list):
        return [_line(part)]
    return [line for inner in part for line in _lines(inner)]


def _line(paragraph: Par) -> str:
    """A paragraph as a line. A list by style alone carries no mark of its own in the text."""
    text = "".join(paragraph.run_strings)
    plain = _NUMBERED.sub("", _BULLET.sub("", text)).replace("\t", "   ")
    listed = plain != text.replace("\t", "   ") or paragraph.style.startswith("List")
    return f"- {plain}" if listed and plain.strip() else plain
