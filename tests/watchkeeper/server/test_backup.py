"""A backup over HTTP: a tar of the running store that a store can be opened on."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
import pytest

from watchkeeper.backend import Backend
from watchkeeper.errors import StorageError
from watchkeeper.ports import LogQuery
from watchkeeper.server.access import Role
from watchkeeper.server.backup import PATH, fetch
from watchkeeper.server.guard import needed_role
from watchkeeper.storage import Store, verify

EVER = (0, 2**62)


@pytest.fixture
async def tar(client: httpx2.AsyncClient) -> bytes:
    answer = await client.post(PATH)
    assert answer.status_code == 200
    return answer.content


@pytest.fixture
def serving(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers any POST with the bytes in the list."""
    content: list[bytes] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content[0])

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", content
        server.shutdown()


def test_a_backup_needs_the_role_of_an_admin():
    assert needed_role("POST", PATH) is Role.ADMIN


@pytest.mark.anyio
async def test_the_tar_unpacks_to_a_whole_store_and_leaves_nothing_behind(
    tar: bytes, backend: Backend, tmp_path: Path
):
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        assert opened.getnames()[-1] == "backup.json"
        opened.extractall(tmp_path / "copy", filter="data")
    (tmp_path / "copy" / "wal").mkdir(exist_ok=True)
    assert verify(tmp_path / "copy").damage == ()
    store = Store.open(tmp_path / "copy")
    try:
        assert store.logs.search(LogQuery(*EVER)) == backend.store.logs.search(LogQuery(*EVER))
    finally:
        store.close()
    assert list(backend.places.data.glob("backup-*")) == []


@pytest.mark.anyio
async def test_what_is_fetched_is_read_back_before_it_counts(
    tar: bytes, serving: tuple[str, list[bytes]], tmp_path: Path
):
    url, content = serving
    content[:] = [tar]
    assert fetch(url, tmp_path / "whole") > 0
    assert verify(tmp_path / "whole").damage == ()
    with pytest.raises(StorageError, match="is not empty"):
        fetch(url, tmp_path / "whole")
    content[:] = [tar[: len(tar) // 2]]
    with pytest.raises(StorageError, match=r"cut off|no backup of"):
        fetch(url, tmp_path / "cut")


def test_an_address_where_nobody_answers_is_a_storage_error(tmp_path: Path):
    with pytest.raises(StorageError, match="no backup of"):
        fetch("http://127.0.0.1:1", tmp_path / "none")
