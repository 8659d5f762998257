"""`POST /-/backup`: the running store as a tar; and `watchkeeper backup`, which unpacks it.

The tar goes out as it is made. Its last file is the list by which the copy is checked, so that
an answer that was cut off is no backup.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from watchkeeper.errors import StorageError
from watchkeeper.server.answers import answering, error_answer
from watchkeeper.server.threads import Threads
from watchkeeper.storage import Store, verify

PATH = "/-/backup"
MANIFEST = "backup.json"
_PREFIX = "backup-"
_PIECE_BYTES = 1 << 18
_TIMEOUT = httpx2.Timeout(10.0, read=600.0)


class Backups:
    """Answers with backups of one store; each lies in a directory of its own in `directory`."""

    def __init__(self, store: Store, directory: Path, threads: Threads) -> None:
        self._store = store
        self._directory = directory
        self._threads = threads
        for left_by_a_kill in directory.glob(f"{_PREFIX}*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)

    def routes(self) -> list[Route]:
        """Return the endpoint."""
        return [Route(PATH, answering(error_answer)(self._answer), methods=["POST"])]

    async def _answer(self, request: Request) -> Response:
        # It is removed with the last reference, also if nobody ever reads the answer.
        place = tempfile.TemporaryDirectory(
            prefix=_PREFIX, dir=self._directory, ignore_cleanup_errors=True
        )
        await self._threads.run(lambda: self._store.backup(Path(place.name)))
        return StreamingResponse(_tar(place), media_type="application/x-tar")


def fetch(backend: str, directory: Path, *, token: str = "") -> int:
    """Write a backup of the backend at an address into a new directory; return its bytes.

    Raises StorageError if it cannot be had, or is not whole when it was read again.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise StorageError(f"{directory} is not empty: name a new directory for the backup")
    directory.parent.mkdir(parents=True, exist_ok=True)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        with tempfile.TemporaryFile(dir=directory.parent) as file:
            with (
                httpx2.Client(timeout=_TIMEOUT, trust_env=False) as client,
                client.stream("POST", backend.rstrip("/") + PATH, headers=headers) as answer,
            ):
                if answer.status_code != 200:
                    text = answer.read().decode("utf-8", "replace")[:500]
                    raise StorageError(f"{backend} gave no backup ({answer.status_code}): {text}")
                for piece in answer.iter_bytes():
                    file.write(piece)
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                tar.extractall(directory, filter="data")
    except (httpx2.HTTPError, httpx2.InvalidURL, tarfile.TarError, OSError) as error:
        raise StorageError(f"no backup of {backend} was written: {error}") from error
    return _require_whole(directory)


def _require_whole(directory: Path) -> int:
    if not (directory / MANIFEST).is_file():
        raise StorageError(f"the backup in {directory} was cut off: remove it and begin again")
    (directory / "wal").mkdir(mode=0o700, exist_ok=True)
    found = verify(directory)
    if found.damage:
        first = found.damage[0]
        raise StorageError(f"the backup is damaged: {first.path}: {first.reason}; begin again")
    return found.size_bytes


def _tar(place: tempfile.TemporaryDirectory[str]) -> Iterator[bytes]:
    with place:
        directory = Path(place.name)
        files = [path for path in directory.rglob("*") if path.is_file()]
        for path in sorted(files, key=lambda path: (path.name == MANIFEST, path)):
            yield from _member(path, str(path.relative_to(directory)))
        yield bytes(2 * tarfile.BLOCKSIZE)


def _member(path: Path, name: str) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mode = path.stat().st_size, 0o600
    yield info.tobuf(tarfile.PAX_FORMAT)
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
    yield bytes(-info.size % tarfile.BLOCKSIZE)
