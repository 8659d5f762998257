"""Snappy blocks, as remote write sends them, opened only as far as a limit.

Source: google/snappy, format_description.txt: a block begins with the size it opens to.
"""

from __future__ import annotations

from typing import Any

import cramjam

from watchkeeper.errors import DecodeError, OverloadError
from watchkeeper.wire.protobuf import read_varint


def open_block(body: bytes, limit_bytes: int) -> bytes:
    """Return what a block holds.

    Raises OverloadError when it is larger than the limit, DecodeError when it is broken.
    """
    size, _ = read_varint(body, 0)
    if size > limit_bytes:
        raise OverloadError(
            f"the body holds more than {limit_bytes} bytes: send smaller batches",
            retry_after_seconds=0.0,
        )
    # A block grows at most 64-fold for each of its bytes: a larger claim is a lie.
    if size > 64 * len(body):
        raise DecodeError("the body is not a snappy block")
    block: Any = body
    try:
        return bytes(cramjam.snappy.decompress_raw(block))
    except cramjam.DecompressionError:
        raise DecodeError("the body is not a snappy block") from None
