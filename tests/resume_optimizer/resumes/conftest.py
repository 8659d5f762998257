from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import fpdf
import pypdf
import pypdfium2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from resume_optimizer.resumes.sample import PDF, read


@pytest.fixture
def blank_pdf() -> bytes:
    document = fpdf.FPDF()
    document.add_page()
    return bytes(document.output())


@pytest.fixture
def plain_pdf() -> bytes:
    """Two pages in the old layout, which PDFium repairs when the end is missing."""
    document = fpdf.FPDF()
    document.set_compression(False)
    document.set_font("helvetica")
    for page in ("Ines Kallweit, page one", "Experience, page two"):
        document.add_page()
        document.cell(text=page)
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


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """A certificate for jobs.example that nobody signed but itself; paths of it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "jobs.example")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin.replace(year=2099))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("jobs.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "certificate.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem")
