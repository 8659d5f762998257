"""Rate limits: counted in Valkey, exact about the time to wait."""

from __future__ import annotations

import asyncio

import pytest

from resume_optimizer.api.rate_limit import RateLimits
from resume_optimizer.failures import Failure
from resume_optimizer.services import Services

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


@pytest.fixture
def limits(services: Services) -> RateLimits:
    return RateLimits(
        services.cache,
        calls_per_minute={"free": 6, "premium": 600},
        jobs_per_hour={"free": 6},
        wrong_passwords=2,
        window_seconds=60,
    )


async def test_a_burst_passes_and_the_next_must_wait_for_its_share(limits: RateLimits) -> None:
    for _ in range(6):
        await limits.job("free", "ada")

    with pytest.raises(Failure) as raised:
        await limits.job("free", "ada")

    assert raised.value.code == "rate_limited"
    assert 500 < raised.value.retry_after_seconds <= 600


async def test_everybody_is_counted_alone_and_by_their_type(limits: RateLimits) -> None:
    for _ in range(6):
        await limits.call("free", "ada")
        await limits.call("premium", "bob")

    await limits.call("free", "cyd")
    await limits.call("premium", "bob")
    await limits.job("free", "ada")


async def test_many_at_once_do_not_slip_through(limits: RateLimits) -> None:
    results = await asyncio.gather(
        *(limits.job("free", "ada") for _ in range(30)), return_exceptions=True
    )

    assert len([result for result in results if result is None]) == 6


async def test_wrong_passwords_are_counted_by_who_and_where(limits: RateLimits) -> None:
    for _ in range(2):
        await limits.password_try("ada@example.org", "10.0.0.1")

    with pytest.raises(Failure, match="wrong passwords"):
        await limits.password_try("ada@example.org", "10.0.0.1")
    await limits.password_try("ada@example.org", "10.0.0.2")
    await limits.password_right("ada@example.org", "10.0.0.1")
    await limits.password_try("ada@example.org", "10.0.0.1")


async def test_one_address_cannot_try_many_accounts(limits: RateLimits) -> None:
    for number in range(20):
        await limits.password_try(f"{number}@example.org", "10.0.0.1")

    with pytest.raises(Failure):
        await limits.password_try("another@example.org", "10.0.0.1")


async def test_right_passwords_do_not_count(limits: RateLimits) -> None:
    for number in range(40):
        await limits.password_try(f"{number}@example.org", "10.0.0.1")
        await limits.password_right(f"{number}@example.org", "10.0.0.1")


async def test_a_counter_goes_away_by_itself(limits: RateLimits, services: Services) -> None:
    await limits.call("free", "ada")
    await limits.password_try("ada@example.org", "10.0.0.1")

    lives = [await services.cache.ttl(key) for key in await services.cache.keys("rate:*")]

    assert len(lives) == 3
    assert all(0 < seconds <= 61 for seconds in lives)
