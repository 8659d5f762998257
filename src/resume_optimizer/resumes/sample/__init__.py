"""Resumes and postings of people and companies that do not exist, for tests and `make run`."""

from resume_optimizer.resumes.sample.samples import (
    DOCX,
    PDF,
    POSTING,
    POSTINGS,
    RESUME,
    RESUMES,
    read,
    read_text,
)

__all__ = ["DOCX", "PDF", "POSTING", "POSTINGS", "RESUME", "RESUMES", "read", "read_text"]
