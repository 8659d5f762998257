"""The API: orders are paid for at once and packed later."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Annotated

import httpx2
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from shop.packing import PACKED, Packing
from shop.payments import Outcome, Payments
from shop.telemetry import CONTRACT, ORDERS
from watchkeeper import instrument
from watchkeeper.instrument.http_client import watch_client


class Order(BaseModel):
    """What somebody wants, and what it costs."""

    item: Annotated[str, Field(min_length=1, max_length=100)]
    cents: Annotated[int, Field(gt=0, le=1_000_000)]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Keep a client for the provider and one worker for as long as the service runs."""
    provider = os.environ.get("SHOP_PAYMENTS_URL", "http://127.0.0.1:8099")
    async with httpx2.AsyncClient(base_url=provider, timeout=2.0, trust_env=False) as client:
        app.state.payments = Payments(watch_client(watch, client))
        worker = asyncio.create_task(packing.work())
        yield
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


app = FastAPI(title="Shop", lifespan=lifespan)
watch = instrument(app, CONTRACT)
packing = Packing(watch)
numbers = count(1)


@app.post("/orders", status_code=201)
async def order(wanted: Order) -> dict[str, int | str]:
    """Take an order: 402 if the bank declines it, 503 if it cannot be paid for or packed now."""
    number = next(numbers)
    outcome = await app.state.payments.pay(number, wanted.cents)
    if outcome is Outcome.PAID and not packing.put(number):
        outcome = Outcome.FAILED
    watch.counter(ORDERS).inc(outcome=outcome.value)
    if outcome is Outcome.DECLINED:
        raise HTTPException(402, "the bank declined the payment")
    if outcome is Outcome.FAILED:
        raise HTTPException(503, "orders cannot be taken at the moment; try again later")
    return {"order": number, "status": packing.status(number)}


@app.get("/orders/{number}")
async def status(number: int) -> dict[str, int | str]:
    """Tell whether an order is packed."""
    found = packing.status(number)
    if not found:
        raise HTTPException(404, "there is no such order")
    return {"order": number, "status": found, "packed": found == PACKED}
