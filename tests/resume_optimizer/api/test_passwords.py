"""Passwords: hashed by a few threads, with only so many waiting."""

from __future__ import annotations

import asyncio

import pytest

from resume_optimizer.api.passwords import Passwords
from resume_optimizer.failures import Failure

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"


async def test_the_right_password_is_right_and_others_are_not() -> None:
    passwords = Passwords(threads=1, waiting=1)
    kept = await passwords.hash(PASSWORD)

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(PASSWORD, kept) == (True, None)
    assert await passwords.verify("wrong horse battery", kept) == (False, None)
    assert (await passwords.verify("nobody has this password", None))[0] is False


async def test_a_weaker_hash_is_made_stronger() -> None:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1),))

    right, stronger = await Passwords(threads=1, waiting=1).verify(PASSWORD, weak.hash(PASSWORD))

    assert right
    assert stronger
    assert "m=19456" in stronger


async def test_when_too_many_wait_the_next_is_sent_away_and_room_comes_back() -> None:
    passwords = Passwords(threads=1, waiting=2)

    results = await asyncio.gather(
        *(passwords.hash(PASSWORD) for _ in range(5)), return_exceptions=True
    )

    refused = [result for result in results if isinstance(result, Failure)]
    assert [failure.code for failure in refused] == ["login_busy"] * 2
    assert await passwords.hash(PASSWORD)


async def test_a_very_long_password_costs_nothing() -> None:
    assert await Passwords(threads=1, waiting=0).verify("x" * 10**6, None) == (False, None)
