"""What kind of file it is, and the text in it. Foreign files are opened in a sandbox only."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath

from resume_optimizer.failures import Failure
from resume_optimizer.resumes.isolation import read_in_sandbox
from resume_optimizer.resumes.sandbox_answer import MOST_CHARACTERS

MOST_LINES = 3_000
"""Some sixty pages. Beyond it the work on a resume takes long: much of it compares each line
with each other."""

_SNIFFED_BYTES = 1024
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_TEXT_CONTROLS = {*"\t\n\r\f\v\x1b\x1c\x1d\x1e\x85"}
_MOST_ODD_SHARE = 0.02


class FileType(StrEnum):
    """The kinds of file that are read."""

    PDF = "pdf"
    DOCX = "docx"
    TXT = "txt"


def detect(data: bytes, filename: str) -> FileType:
    """Return the kind of file by its bytes; the name only decides for a file without any.

    Raises Failure file_type_unsupported.
    """
    if not data.strip():
        ending = PurePath(filename).suffix.lstrip(".").lower()
        return FileType(ending) if ending in list(FileType) else FileType.TXT
    if b"%PDF-" in data[:_SNIFFED_BYTES]:
        return FileType.PDF
    if _is_docx(data, filename):
        return FileType.DOCX
    if not data.startswith((b"{\\rtf", b"PK")) and _text(data) is not None:
        return FileType.TXT
    raise Failure("file_type_unsupported")


def _is_docx(data: bytes, filename: str) -> bool:
    if data.startswith(_OLE_MAGIC):  # how Word wraps a document with a password
        return _ENCRYPTED_STREAM in data
    if not data.startswith(b"PK"):
        return False
    return b"word/" in data or filename.lower().endswith(".docx")


async def extract_text(data: bytes, file_type: FileType, *, timeout_seconds: float = 20) -> str:
    """Return the text of a file. PDF and DOCX are read in the sandbox.

    Raises Failure: file_password_protected, file_empty, file_scanned, file_damaged,
    file_expands_too_much, file_too_long, file_took_too_long.
    """
    if not data.strip():
        raise Failure("file_empty")
    if file_type is FileType.TXT:
        text = _text(data)
        if text is None:
            raise Failure("file_damaged")
    else:
        text = await read_in_sandbox(data, file_type, timeout_seconds)
    if not text.strip():
        raise Failure("file_empty")
    if len(text) > MOST_CHARACTERS or text.count("\n") >= MOST_LINES:
        raise Failure("file_too_long")
    return text


def _text(data: bytes) -> str | None:
    """Plain text by its byte order mark, as UTF-8, or as Windows' Latin; None when it is none."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text if _readable(text) else None
    return None


def _readable(text: str) -> bool:
    if "\x00" in text:
        return False
    odd = sum(1 for char in text if not char.isprintable() and char not in _TEXT_CONTROLS)
    return odd <= len(text) * _MOST_ODD_SHARE
