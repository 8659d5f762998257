from collections.abc import Callable
from io import BytesIO

import fpdf
import pypdf
import pypdfium2
import pytest

from resume_optimizer.resumes.sample import PDF, read


@pytest.fixture
def blank_pdf() -> bytes:
    document = fpdf.FPDF()
    document.add_page()
    return bytes(document.output())


@pytest.fixture
def scanned_pdf() -> bytes:
    """A page that is a picture of the sample's page."""
    picture = pypdfium2.PdfDocument(read(PDF))[0].render(scale=0.5).to_pil()
    document = fpdf.FPDF()
    document.add_page()
    document.image(picture, w=180)
    return bytes(document.output())


@pytest.fixture
def protected_pdf() -> Callable[[str], bytes]:
    """The sample PDF behind a user password; an empty one opens without being asked for."""

    def protect(password: str) -> bytes:
        writer = pypdf.PdfWriter(clone_from=BytesIO(read(PDF)))
        writer.encrypt(password, "the owner's", algorithm="AES-256")
        body = BytesIO()
        writer.write(body)
        return body.getvalue()

    return protect
