"""The text of a PDF, by PDFium, and by pypdf where that gives none. Only the sandbox runs this."""

from __future__ import annotations

from io import BytesIO

import pypdfium2
import pypdfium2.raw as pdfium

from resume_optimizer.resumes.sandbox_answer import UnreadableError

MOST_PAGES = 50
END_MARK_WITHIN_BYTES = 2048
"""PDF ends with %%EOF; a file without it near its end was cut off, and what PDFium would still
find of it is not the whole resume."""


def pdf_text(data: bytes) -> str:
    """Return the text of the pages. Raises UnreadableError with the code that fits."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise UnreadableError("file_password_protected") from error
        raise UnreadableError("file_damaged") from error
    if b"%%EOF" not in data[-END_MARK_WITHIN_BYTES:]:
        raise UnreadableError("file_damaged")
    pages = [document[number] for number in range(min(len(document), MOST_PAGES))]
    text = "\n".join(page.get_textpage().get_text_bounded() for page in pages)
    text = text.replace("\r\n", "\n").replace("\ufffe", "-")
    if not text.strip():
        text = _by_pypdf(data)
    if not text.strip():
        scanned = any(_has_picture(page) for page in pages)
        raise UnreadableError("file_scanned" if scanned else "file_empty")
    return text


def _has_picture(page: pypdfium2.PdfPage) -> bool:
    return any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4))


def _by_pypdf(data: bytes) -> str:
    import pypdf  # takes longer to load than PDFium to read a resume
    from pypdf.errors import PyPdfError

    try:
        pages = pypdf.PdfReader(BytesIO(data)).pages
        return "\n".join(page.extract_text() for page in pages[:MOST_PAGES])
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
