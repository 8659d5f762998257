"""Rate limits in Valkey: calls and jobs by user type, wrong passwords by who and where.

Calls follow the generic cell rate algorithm (GCRA, ITU-T I.371): one number a key, the moment
at which the key is empty again; no window edges, and an exact time to wait. The clock is
Valkey's own, so that all processes agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

from redis.asyncio import Redis

from resume_optimizer.failures import Failure

GCRA = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local spacing = tonumber(ARGV[1])
local room = tonumber(ARGV[2])
local empty_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = empty_at + spacing - room - now
if wait > 0 then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', empty_at + spacing), 'EX', math.ceil(room) + 1)
return '0'
"""

COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('TTL', KEYS[1])}
"""


FORGET = """
redis.call('DEL', KEYS[1])
if tonumber(redis.call('GET', KEYS[2]) or 0) > 0 then redis.call('DECR', KEYS[2]) end
"""


class RateLimits:
    """Raises Failure when there is too much of something, and redis' errors when it is down."""

    def __init__(
        self,
        cache: Redis,
        *,
        calls_per_minute: Mapping[str, int],
        jobs_per_hour: Mapping[str, int],
        wrong_passwords: int,
        window_seconds: int,
    ) -> None:
        self._cache = cache
        self._calls_per_minute = calls_per_minute
        self._jobs_per_hour = jobs_per_hour
        self._wrong_passwords = wrong_passwords
        self._window_seconds = window_seconds

    async def call(self, user_type: str, who: str) -> None:
        """Count one call of somebody. Raises Failure `rate_limited`."""
        await self._pass(f"calls:{who}", self._calls_per_minute[user_type], 60.0)

    async def job(self, user_type: str, who: str) -> None:
        """Count one job of somebody. Raises Failure `rate_limited`."""
        await self._pass(f"jobs:{who}", self._jobs_per_hour[user_type], 3600.0)

    async def password_try(self, email: str, address: str) -> None:
        """Count a try before it is made; `password_right` takes it back.

        Raises Failure `too_many_attempts`: after so many for one account from one address, or
        ten times as many from one address.
        """
        for name, most in (
            (_password_key(email, address), self._wrong_passwords),
            (_password_key("", address), 10 * self._wrong_passwords),
        ):
            count, seconds = await self._run(COUNT, [name], self._window_seconds)
            if count > most:
                raise Failure("too_many_attempts", retry_after_seconds=float(max(seconds, 1)))

    async def password_right(self, email: str, address: str) -> None:
        """Forget the wrong tries for this account from this address, and this right one."""
        await self._run(FORGET, [_password_key(email, address), _password_key("", address)])

    async def _pass(self, name: str, most: int, period_seconds: float) -> None:
        wait = float(await self._run(GCRA, [f"rate:{name}"], period_seconds / most, period_seconds))
        if wait > 0:
            raise Failure("rate_limited", retry_after_seconds=wait)

    async def _run(self, script: str, keys: Sequence[str], *arguments: float) -> Any:
        # EVAL, not EVALSHA: a Valkey that has just started would answer with an error first.
        words = (*keys, *(str(argument) for argument in arguments))
        return await cast(Awaitable[Any], self._cache.eval(script, len(keys), *words))


def _password_key(email: str, address: str) -> str:
    digest = hashlib.sha256(f"{email}\n{address}".encode()).hexdigest()
    return f"rate:password:{digest}"
