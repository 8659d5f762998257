"""The process that opens foreign files: limits first, then one file from stdin, JSON to stdout.

Run as `python -m resume_optimizer.resumes.sandbox pdf|docx|html SECONDS`.
"""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Callable

import msgspec

from resume_optimizer.resumes.sandbox_answer import (
    MOST_CHARACTERS,
    SandboxAnswer,
    UnreadableError,
)

MOST_MEMORY_BYTES = 1024 * 1024 * 1024
"""Of address space, libraries included; a resume takes a fifth."""
MOST_OPEN_FILES = 32
"""Enough for what the parsers load late; nothing can be written (RLIMIT_FSIZE is 0)."""


def main(arguments: list[str]) -> int:
    """Read one file. Returns 0 whenever an answer was written."""
    kind, seconds = arguments[0], max(1, round(float(arguments[1])))
    read = _reader(kind)  # what the libraries take to load does not count
    _limit(seconds)
    data = sys.stdin.buffer.read()
    try:
        answer = SandboxAnswer(text=read(data)[: MOST_CHARACTERS + 1])
    except UnreadableError as unreadable:
        answer = SandboxAnswer(failure=unreadable.code)
    except MemoryError:
        answer = SandboxAnswer(failure="file_expands_too_much")
    except Exception:  # noqa: BLE001 - a foreign file may break its parser in any way
        answer = SandboxAnswer(failure="file_damaged")
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    return 0


def _reader(kind: str) -> Callable[[bytes], str]:
    if kind == "pdf":
        from resume_optimizer.resumes.pdf_text import pdf_text

        return pdf_text
    if kind == "html":
        from resume_optimizer.resumes.html_text import html_text

        return lambda data: html_text(data.decode())
    from resume_optimizer.resumes.docx_text import docx_text

    return docx_text


def _limit(seconds: int) -> None:
    signal.alarm(seconds + 1)  # ends the process even when nobody is left to kill it
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_OPEN_FILES, MOST_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
