"""Write the sample's PDF and DOCX again, with the project's own writers."""

from __future__ import annotations

from pathlib import Path

from resume_optimizer.resumes.docx_writer import write_docx
from resume_optimizer.resumes.pdf_writer import write_pdf
from resume_optimizer.resumes.sample import DOCX, PDF, RESUME, read_text
from resume_optimizer.resumes.structure import structure


def main() -> None:
    """Write both next to the text they are made from."""
    here = Path(__file__).parent
    resume = structure(read_text(RESUME))
    (here / PDF).write_bytes(write_pdf(resume))
    (here / DOCX).write_bytes(write_docx(resume))


if __name__ == "__main__":
    main()
