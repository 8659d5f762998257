"""A job posting from a URL: with limits on time and size, and never from a private network."""

from __future__ import annotations

import asyncio
import re
import zlib
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx2

from resume_optimizer.failures import Failure
from resume_optimizer.resumes.addresses import Target, resolve
from resume_optimizer.resumes.isolation import read_in_sandbox
from resume_optimizer.resumes.sandbox_answer import MOST_CHARACTERS

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", ""})
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PostingLimits:
    """How much a fetch may take. `allow_private`: "host:port" pairs for tests, else empty.

    `most_characters` of the text are kept: what comes after them is the rest of the page.
    """

    total_seconds: float = 15.0
    connect_seconds: float = 5.0
    most_bytes: int = 2 * 1024 * 1024
    most_redirects: int = 5
    least_characters: int = 40
    most_characters: int = MOST_CHARACTERS
    allow_private: tuple[str, ...] = ()


async def fetch_posting(url: str, *, limits: PostingLimits | None = None) -> str:
    """Return the text of the posting at a URL.

    The name is resolved once and the connection goes to that very address; each redirect is
    followed by hand and checked the same way; proxies of the environment are not used. Raises
    Failure: posting_url_invalid, posting_url_private, posting_unreachable, posting_timeout,
    posting_too_large, posting_not_text.
    """
    limits = limits or PostingLimits()
    try:
        async with asyncio.timeout(limits.total_seconds):
            return await _follow(url.strip(), limits)
    except (TimeoutError, httpx2.TimeoutException):
        raise Failure("posting_timeout") from None
    except httpx2.InvalidURL:
        raise Failure("posting_url_invalid") from None
    except httpx2.HTTPError:
        raise Failure("posting_unreachable") from None


async def _follow(url: str, limits: PostingLimits) -> str:
    timeout = httpx2.Timeout(limits.total_seconds, connect=limits.connect_seconds)
    async with httpx2.AsyncClient(timeout=timeout, trust_env=False) as client:
        for _ in range(limits.most_redirects + 1):
            target = await resolve(url, limits.allow_private)
            async with client.stream(
                "GET",
                target.connect_url,
                headers=_headers(target),
                extensions={"sni_hostname": target.host},
                follow_redirects=False,
            ) as response:
                if response.status_code not in _REDIRECTS:
                    return await _text(response, limits)
                url = _next(url, response.headers.get("location", ""))
    raise Failure("posting_unreachable")


def _next(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise Failure("posting_url_invalid") from None


def _headers(target: Target) -> dict[str, str]:
    return {
        "Host": target.host_header,
        "User-Agent": "resume-optimizer",
        "Accept": "text/html, text/plain;q=0.9",
        "Accept-Encoding": "gzip",
    }


async def _text(response: httpx2.Response, limits: PostingLimits) -> str:
    if response.status_code != 200:
        raise Failure("posting_unreachable")
    content_type, _, parameters = response.headers.get("content-type", "").partition(";")
    kind = content_type.strip().lower()
    if kind not in _HTML_TYPES and kind != "text/plain":
        raise Failure("posting_not_text")
    body = await _body(response, limits.most_bytes)
    text = _decoded(body, parameters)
    if kind != "text/plain":
        text = await _visible(text, limits.total_seconds)
    if len(text.strip()) < limits.least_characters:
        raise Failure("posting_not_text")
    return text[: limits.most_characters]


async def _visible(page: str, timeout_seconds: float) -> str:
    """Return what a page shows. Some markup takes a parser very long: the sandbox ends it."""
    try:
        return await read_in_sandbox(page.encode("utf-8", "replace"), "html", timeout_seconds)
    except Failure as failure:
        late = failure.code == "file_took_too_long"
        raise Failure("posting_timeout" if late else "posting_not_text") from None


async def _body(response: httpx2.Response, most_bytes: int) -> bytes:
    """Read at most `most_bytes`, counted after unpacking: a small answer may unpack to much."""
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise Failure("posting_not_text")
    unpacker = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        try:
            body += unpacker.decompress(chunk, most_bytes + 1) if unpacker else chunk
        except zlib.error:
            raise Failure("posting_not_text") from None
        if len(body) > most_bytes:
            raise Failure("posting_too_large")
    return bytes(body)


def _decoded(body: bytes, parameters: str) -> str:
    stated = re.search(r"charset=[\"']?([\w-]+)", parameters, re.IGNORECASE)
    in_page = _META_CHARSET.search(body[:2048])
    charset = stated.group(1) if stated else (in_page.group(1).decode() if in_page else "utf-8")
    try:
        return body.decode(charset, errors="replace")
    except (LookupError, ValueError):
        return body.decode("utf-8", errors="replace")
