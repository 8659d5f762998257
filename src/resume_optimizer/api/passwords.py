"""Passwords: argon2 in a few threads, and only so many people waiting for one.

Hashing costs memory and time on purpose; without a limit a crowd of logins would take the
machine. Parameters are OWASP's minimum for argon2id (Password Storage Cheat Sheet: 19 MiB,
2 iterations, 1 lane).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from resume_optimizer.failures import Failure

MEMORY_KIBIBYTES = 19 * 1024
ITERATIONS = 2
LANES = 1
SHORTEST = 10
LONGEST = 256

Result = TypeVar("Result")


class Passwords:
    """Hashes and verifies. Raises Failure `login_busy` when too many wait."""

    def __init__(self, *, threads: int, waiting: int) -> None:
        self._hash = PasswordHash(
            (Argon2Hasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIBIBYTES, parallelism=LANES),)
        )
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._room = threads + waiting
        self._nobody = self._hash.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """Return what to keep of a password. Raises Failure `password_weak`."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise Failure("password_weak")
        return await self._run(lambda: self._hash.hash(password))

    async def verify(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        """Return (whether it is right, a stronger hash to keep from now on or None).

        With `kept` None it takes as long as otherwise: time must not tell whether there is
        an account.
        """
        if len(password) > LONGEST:
            return False, None
        right, stronger = await self._run(
            lambda: self._hash.verify_and_update(password, kept or self._nobody)
        )
        return right and kept is not None, stronger

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._room <= 0:
            raise Failure("login_busy")
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._room += 1
