"""The file store: an S3 server behind obstore, watched, with a limit on every wait."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import obstore.exceptions
from obstore.store import S3Store

from resume_optimizer.failures import Failure
from resume_optimizer.settings import ObjectSettings
from watchkeeper import Telemetry
from watchkeeper.instrument.objects import S3_STANDARD, WatchedStore

CONNECT_TIMEOUT_SECONDS = 2.0
TIMEOUT_SECONDS = 10.0
PING_TIMEOUT_SECONDS = 2.0
PING_KEY = "health/ping"


class Objects:
    """Files by key. Every method raises Failure `objects_unavailable` when the server is down
    or slow, and `file_lost` when a key that should be there is not."""

    def __init__(self, store: WatchedStore) -> None:
        self._store = store

    @classmethod
    def open(cls, telemetry: Telemetry, settings: ObjectSettings) -> Objects:
        """Return the store; it connects when it is first used."""
        store = S3Store(
            settings.bucket,
            endpoint=settings.endpoint,
            access_key_id=settings.access_key,
            secret_access_key=settings.secret_key,
            region=settings.region,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": settings.endpoint.startswith("http:"),
                "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_SECONDS),
                "timeout": timedelta(seconds=TIMEOUT_SECONDS),
            },
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=4)},
        )
        return cls(WatchedStore(telemetry, store, bucket=settings.bucket, prices=S3_STANDARD))

    async def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`."""
        try:
            await self._store.put(key, data)
        except (obstore.exceptions.BaseError, OSError) as error:
            raise Failure("objects_unavailable") from error

    async def get(self, key: str) -> bytes:
        """Return what is kept under `key`."""
        try:
            return await self._store.get(key)
        except FileNotFoundError as error:
            raise Failure("file_lost") from error
        except (obstore.exceptions.BaseError, OSError) as error:
            raise Failure("objects_unavailable") from error

    async def delete(self, key: str) -> None:
        """Let go of what is kept under `key`; nothing there is fine."""
        try:
            await self._store.delete(key)
        except FileNotFoundError:
            return
        except (obstore.exceptions.BaseError, OSError) as error:
            raise Failure("objects_unavailable") from error

    async def ping(self) -> None:
        """Raise Failure unless the server answers for the bucket."""
        try:
            async with asyncio.timeout(PING_TIMEOUT_SECONDS):
                await self._ping()
        except (obstore.exceptions.BaseError, OSError) as error:
            raise Failure("objects_unavailable") from error

    async def _ping(self) -> None:
        try:
            await self._store.head(PING_KEY)
        except FileNotFoundError:
            await self._store.put(PING_KEY, b"Looked at to see whether the store answers.\n")
