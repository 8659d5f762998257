"""Compressed request bodies, opened only as far as a limit."""

from __future__ import annotations

import zlib

import zstandard

from watchkeeper.errors import DecodeError, OverloadError

_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""What zlib is to expect: HTTP's deflate is zlib's own format (RFC 9110, 8.4.1.2)."""


def decompress(body: bytes, content_encoding: str, limit_bytes: int) -> bytes:
    """Return the body as it was before `content_encoding`: gzip, zstd, deflate, identity or ''.

    Raises OverloadError when it is larger than the limit, DecodeError when it is broken.
    """
    encoding = content_encoding.strip().lower()
    if encoding in ("", "identity"):
        opened = body
    elif encoding in _WINDOWS:
        opened = _inflate(body, encoding, limit_bytes)
    elif encoding == "zstd":
        opened = _unzstd(body, limit_bytes)
    else:
        raise DecodeError(f"content encoding {encoding!r}: send gzip, zstd, deflate or identity")
    if len(opened) > limit_bytes:
        raise OverloadError(
            f"the body holds more than {limit_bytes} bytes: send smaller batches",
            retry_after_seconds=0.0,
        )
    return opened


def _inflate(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    opened = bytearray()
    try:
        while body and len(opened) <= limit_bytes:
            member = zlib.decompressobj(_WINDOWS[encoding])
            opened += member.decompress(body, limit_bytes + 1 - len(opened))
            if not member.eof and len(opened) <= limit_bytes:
                raise DecodeError(f"the {encoding} body ends too early")
            body = member.unused_data
    except zlib.error as error:
        raise DecodeError(f"the body is not {encoding}: {error}") from None
    return bytes(opened)


def _unzstd(body: bytes, limit_bytes: int) -> bytes:
    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(
            body, read_across_frames=True
        ) as reader:
            return bytes(reader.read(limit_bytes + 1))
    except zstandard.ZstdError as error:
        raise DecodeError(f"the body is not zstd: {error}") from None
