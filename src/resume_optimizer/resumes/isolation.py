"""Foreign bytes are read in the sandbox: started here, fed, and ended whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys

import msgspec

from resume_optimizer.failures import Failure
from resume_optimizer.resumes.sandbox_answer import SandboxAnswer


async def read_in_sandbox(data: bytes, kind: str, timeout_seconds: float) -> str:
    """Return the text of foreign bytes; `kind` is pdf, docx or html.

    They are read by a process of its own with limits on memory, CPU time, files and processes,
    and an empty environment. Raises Failure: file_password_protected, file_empty, file_scanned,
    file_damaged, file_expands_too_much, file_took_too_long.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "resume_optimizer.resumes.sandbox",
        kind,
        str(timeout_seconds),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout_seconds):
            output, _ = await process.communicate(data)
    except TimeoutError:
        raise Failure("file_took_too_long") from None
    finally:
        await _end(process)
    return _read(output, process.returncode or 0)


def _environment() -> dict[str, str]:
    """Nothing of ours but the way to our own modules: no secret gets near a foreign file."""
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _read(output: bytes, return_code: int) -> str:
    if return_code in (-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL):
        raise Failure("file_took_too_long")
    try:
        answer = msgspec.json.decode(output, type=SandboxAnswer)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise Failure("file_damaged") from None
    if answer.failure:
        raise Failure(answer.failure)
    return answer.text
