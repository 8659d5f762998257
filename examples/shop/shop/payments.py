"""Payments: a provider somewhere else takes the money, declines, or does not answer."""

from __future__ import annotations

from enum import StrEnum

import httpx2


class Outcome(StrEnum):
    """How an order ended."""

    PAID = "paid"
    DECLINED = "declined"
    FAILED = "failed"


class Payments:
    """Asks the provider over a client whose requests are watched."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def pay(self, number: int, cents: int) -> Outcome:
        """Charge an order and return what came of it; never raises."""
        try:
            answer = await self._client.post("/charges", json={"order": number, "cents": cents})
        except httpx2.HTTPError:
            return Outcome.FAILED
        if answer.status_code == 402:
            return Outcome.DECLINED
        return Outcome.PAID if answer.is_success else Outcome.FAILED
