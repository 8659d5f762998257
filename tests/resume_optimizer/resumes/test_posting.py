import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from resume_optimizer.failures import Failure
from resume_optimizer.resumes.posting import PostingLimits, fetch_posting
from resume_optimizer.resumes.sample import POSTING, read_text

pytestmark = pytest.mark.anyio

PAGE = b"<html><body><h1>Engineer</h1><p>Python, and patience with trams of all ages.</p></body>"


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def site(pages: dict[str, bytes], asked: list[bytes] | None = None) -> AsyncIterator[int]:
    """A web server on loopback; a path that it does not know gets no answer at all."""
    silent = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if asked is not None:
            asked.append(request)
        path = request.split()[1].decode()
        if path in pages:
            writer.write(pages[path])
            writer.close()
        else:
            await silent.wait()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        silent.set()
        server.close()


def limits(port: int, **others: Any) -> PostingLimits:
    return PostingLimits(allow_private=(f"127.0.0.1:{port}",), **others)


async def fetched(pages: dict[str, bytes], path: str = "/", **others: Any) -> str:
    async with site(pages) as port:
        return await fetch_posting(f"http://127.0.0.1:{port}{path}", limits=limits(port, **others))


async def code_of(pages: dict[str, bytes], path: str = "/", **others: Any) -> str:
    with pytest.raises(Failure) as raised:
        await fetched(pages, path, **others)
    return raised.value.code


async def test_a_page_is_fetched_as_text() -> None:
    text = await fetched({"/": answer(PAGE, "Content-Type: text/html; charset=utf-8")})
    assert text == "Engineer\nPython, and patience with trams of all ages.\n"


async def test_plain_text_and_other_encodings_are_read() -> None:
    posting = read_text(POSTING)
    plain = answer(posting.encode(), "Content-Type: text/plain")
    assert await fetched({"/": plain}) == posting
    latin = answer("Grüße aus der Küche, in der Köche fröhlich kochen".encode("latin-1"),
                   "Content-Type: text/plain; charset=latin-1")  # fmt: skip
    assert "Grüße" in await fetched({"/": latin})


async def test_a_packed_page_is_unpacked() -> None:
    packed = answer(gzip.compress(PAGE), "Content-Type: text/html", "Content-Encoding: gzip")
    assert "Engineer" in await fetched({"/": packed})


async def test_a_redirect_is_followed() -> None:
    pages = {"/": answer(b"", "Location: /b", status="302 Found"), "/b": answer(PAGE)}
    assert "Engineer" in await fetched(pages)


async def test_a_redirect_into_a_private_network_is_not_followed() -> None:
    secrets: list[bytes] = []
    async with site({"/": answer(PAGE)}, secrets) as private:
        away = answer(b"", f"Location: http://127.0.0.1:{private}/", status="302 Found")
        assert await code_of({"/": away}) == "posting_url_private"
    assert secrets == []


async def test_redirects_without_end_are_given_up() -> None:
    assert await code_of({"/": answer(b"", "Location: /", status="302 Found")}) == (
        "posting_unreachable"
    )


async def test_a_server_that_never_answers_is_given_up() -> None:
    assert await code_of({}, total_seconds=0.2) == "posting_timeout"


async def test_a_page_that_is_too_large_is_refused_packed_or_not() -> None:
    large = b"a " * 50_000
    assert await code_of({"/": answer(large)}, most_bytes=10_000) == "posting_too_large"
    packed = answer(gzip.compress(large), "Content-Encoding: gzip")
    assert await code_of({"/": packed}, most_bytes=10_000) == "posting_too_large"


@pytest.mark.parametrize(
    "page",
    [
        answer(PAGE, "Content-Type: image/png"),
        answer(b"<html><script>everything()</script>", "Content-Type: text/html"),
        answer(PAGE, "Content-Encoding: br"),
        answer(PAGE, "Content-Encoding: gzip"),
    ],
)
async def test_what_holds_no_text_is_refused(page: bytes) -> None:
    assert await code_of({"/": page}) == "posting_not_text"


async def test_a_missing_page_and_a_closed_port_are_unreachable() -> None:
    missing = answer(b"", status="404 Not Found")
    assert await code_of({"/": missing}) == "posting_unreachable"
    assert await code_of({"/": b"this is not HTTP\r\n\r\n"}) == "posting_unreachable"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(Failure) as raised:
            await fetch_posting(f"http://127.0.0.1:{port}/", limits=limits(port))
    assert raised.value.code == "posting_unreachable"


async def test_a_name_is_resolved_once_so_that_a_second_answer_cannot_move_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []
    names: list[str] = []
    loop = asyncio.get_running_loop()
    original = loop.getaddrinfo

    async def getaddrinfo(host: Any, port: Any, **others: Any) -> Any:
        names.append(host)
        return await original("127.0.0.1" if host == "jobs.example" else host, port, **others)

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    async with site({"/": answer(PAGE)}, asked) as port:
        allowed = PostingLimits(allow_private=(f"jobs.example:{port}",))
        assert "Engineer" in await fetch_posting(f"http://jobs.example:{port}/", limits=allowed)
        assert f"host: jobs.example:{port}".encode() in asked[0].lower()
    assert names.count("jobs.example") == 1


async def test_a_secure_site_is_asked_by_its_name_and_its_certificate_is_checked(
    monkeypatch: pytest.MonkeyPatch, certificate: tuple[str, str]
) -> None:
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    loop = asyncio.get_running_loop()
    original = loop.getaddrinfo

    async def getaddrinfo(host: Any, port: Any, **others: Any) -> Any:
        return await original("127.0.0.1" if host == "jobs.example" else host, port, **others)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(PAGE))
        writer.close()

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        allowed = PostingLimits(allow_private=(f"jobs.example:{port}",))
        with pytest.raises(Failure) as raised:
            await fetch_posting(f"https://jobs.example:{port}/", limits=allowed)
    assert raised.value.code == "posting_unreachable"  # nobody vouches for this certificate
    assert names == ["jobs.example"]


async def test_markup_that_takes_a_parser_for_ever_is_given_up() -> None:
    page = answer(b"<a " * 600_000, "Content-Type: text/html")

    assert await code_of({"/": page}, total_seconds=1.0) == "posting_timeout"


async def test_of_an_endless_page_the_beginning_is_kept() -> None:
    page = answer(b"word " * 100_000, "Content-Type: text/plain")

    assert len(await fetched({"/": page}, most_characters=1_000)) == 1_000


async def test_a_redirect_to_what_is_no_address_is_refused() -> None:
    page = answer(b"", "Location: http://[::1/", status="302 Found")

    assert await code_of({"/": page}) == "posting_url_invalid"
