"""A resume as a tagged PDF, by Typst. Text goes in as data; nothing of it is read as markup."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from importlib.resources import files

import msgspec
import typst

from resume_optimizer.resumes.document import StructuredResume


def write_pdf(resume: StructuredResume) -> bytes:
    """Return the resume as PDF, A4, tagged, fonts embedded. CPU-bound, some 10 ms.

    The same resume gives the same bytes: the document carries no time.
    """
    data = msgspec.json.encode(asdict(resume)).decode()
    result = typst.Compiler(_template(), font_paths=_fonts()).compile(
        format="pdf", sys_inputs={"resume": data}, timestamp=0
    )
    if not isinstance(result, bytes):
        raise TypeError("typst gave no single document")
    return result


@cache
def _template() -> bytes:
    return files("resume_optimizer.resumes").joinpath("resume.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    """The fonts Typst brings; the system's stand in for scripts that those lack."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)
