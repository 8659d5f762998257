"""The sample files by name."""

from __future__ import annotations

from importlib.resources import files

RESUME = "ines_kallweit.txt"
"""A platform engineer who shows less of what she can than she could."""
PDF = "ines_kallweit.pdf"
DOCX = "ines_kallweit.docx"
POSTING = "posting_reliability_engineer.txt"
RESUMES = (RESUME, "tomas_brandvold.txt", "yara_okonjo.txt")
POSTINGS = (POSTING, "posting_data_engineer.txt", "posting_product_manager.txt")


def read(name: str) -> bytes:
    """Return a sample file."""
    return files("resume_optimizer.resumes.sample").joinpath(name).read_bytes()


def read_text(name: str) -> str:
    """Return a sample text."""
    return read(name).decode("utf-8")
