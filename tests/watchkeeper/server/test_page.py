from pathlib import Path

import httpx2
import pytest

from watchkeeper.server.page import Page

pytestmark = pytest.mark.anyio


@pytest.fixture
def static(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Watchkeeper</title>")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "app.1a2b.js").write_text("1")
    return tmp_path


def client(static: Path) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=Page(static))
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")


@pytest.mark.parametrize("path", ["/", "/logs", "/traces/abc", "/index.html"])
async def test_a_place_in_the_page_is_answered_with_the_page(static: Path, path: str) -> None:
    answer = await client(static).get(path)
    assert "Watchkeeper" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_hashed_file_is_kept_for_a_year(static: Path) -> None:
    answer = await client(static).get("/assets/app.1a2b.js")
    assert "immutable" in answer.headers["cache-control"]
    assert "javascript" in answer.headers["content-type"]


async def test_a_page_that_has_not_changed_is_not_sent_again(static: Path) -> None:
    first = await client(static).get("/")
    again = await client(static).get("/", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/assets/none.js", "/none.svg", "/..%2f..%2fetc%2fpasswd.txt"])
async def test_a_file_that_is_not_there_is_a_plain_404(static: Path, path: str) -> None:
    answer = await client(static).get(path)
    assert (answer.status_code, answer.text) == (404, "There is no such file.\n")


async def test_a_page_that_was_never_built_says_so(tmp_path: Path) -> None:
    answer = await client(tmp_path / "none").get("/")
    assert answer.status_code == 503
    assert "not built" in answer.text


async def test_the_page_cannot_be_written_to(static: Path) -> None:
    assert (await client(static).post("/")).status_code == 405
