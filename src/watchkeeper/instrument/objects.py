"""obstore, watched: one wrapper with a span and a duration an operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from opentelemetry import trace

from watchkeeper.conventions import objects
from watchkeeper.instrument.calls import client_span
from watchkeeper.instrument.telemetry import Telemetry

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPrices:
    """What a store asks for requests, in US dollars each: writes and lists, reads and heads.

    Deleting is free everywhere that matters.
    """

    write_usd: float
    read_usd: float


S3_STANDARD = RequestPrices(write_usd=0.005 / 1000, read_usd=0.0004 / 1000)
"""Source: Amazon S3 pricing, S3 Standard, us-east-1: $0.005 per 1,000 PUT, COPY, POST, LIST and
$0.0004 per 1,000 GET and others."""


class WatchedStore:
    """An obstore store with the operations that a service needs.

    `bucket` names it in spans. With `prices` the cost of requests is counted.
    """

    def __init__(
        self, telemetry: Telemetry, store: Any, *, bucket: str, prices: RequestPrices | None = None
    ) -> None:
        self.store = store
        self.bucket = bucket
        self._telemetry = telemetry
        self._durations = telemetry.declares(objects.OPERATION_DURATION)
        self._errors = telemetry.declares(objects.ERRORS)
        self._prices = prices if telemetry.declares(objects.STORAGE_COST) else None

    async def put(self, path: str, data: bytes) -> None:
        """Write an object whole."""
        import obstore

        async def run(span: trace.Span) -> None:
            span.set_attribute("object.size_bytes", len(data))
            await obstore.put_async(self.store, path, data)

        await self._watch("put", run)

    async def get(self, path: str) -> bytes:
        """Return an object whole. Raises FileNotFoundError if there is none."""
        import obstore

        async def run(span: trace.Span) -> bytes:
            answer = await obstore.get_async(self.store, path)
            data = bytes(await answer.bytes_async())
            span.set_attribute("object.size_bytes", len(data))
            return data

        return await self._watch("get", run)

    async def head(self, path: str) -> Any:
        """Return an object's metadata (obstore's ObjectMeta). Raises FileNotFoundError."""
        import obstore

        async def run(span: trace.Span) -> Any:
            return await obstore.head_async(self.store, path)

        return await self._watch("head", run)

    async def list(self, prefix: str = "", *, limit: int = 1000) -> list[Any]:
        """Return the metadata of objects under `prefix`, at most `limit` of them."""
        import obstore

        async def run(span: trace.Span) -> list[Any]:
            found: list[Any] = []
            async for chunk in obstore.list(self.store, prefix, chunk_size=min(limit, 1000)):
                found += chunk
                if len(found) >= limit:
                    break
            return found[:limit]

        return await self._watch("list", run)

    async def delete(self, path: str) -> None:
        """Remove an object."""
        import obstore

        async def run(span: trace.Span) -> None:
            await obstore.delete_async(self.store, path)

        await self._watch("delete", run)

    async def _watch(
        self, operation: str, run: Callable[[trace.Span], Awaitable[Result]]
    ) -> Result:
        telemetry = self._telemetry
        started_ns = telemetry.clock.monotonic_ns()
        try:
            with client_span(
                telemetry,
                objects.OPERATION_SPAN,
                name=f"{operation} {self.bucket}",
                expected=FileNotFoundError,
                **{
                    "rpc.system": "aws-api",
                    "aws.s3.bucket": self.bucket,
                    "object.operation": operation,
                },
            ) as span:
                return await run(span)
        except FileNotFoundError:
            # The store did what it was asked; whether something is missing is the caller's word.
            raise
        except Exception:
            if self._errors:
                telemetry.counter(objects.ERRORS).inc(operation=operation)
            raise
        finally:
            if self._durations:
                seconds = (telemetry.clock.monotonic_ns() - started_ns) / 1e9
                telemetry.histogram(objects.OPERATION_DURATION).observe(
                    seconds, operation=operation
                )
            self._charge(operation)

    def _charge(self, operation: str) -> None:
        if self._prices is None or operation == "delete":
            return
        writes = operation in ("put", "list")
        price = self._prices.write_usd if writes else self._prices.read_usd
        self._telemetry.counter(objects.STORAGE_COST).inc(price, storage_type="requests")
