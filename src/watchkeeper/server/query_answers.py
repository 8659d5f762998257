"""Results of queries as HTTP answers: small ones at once, large ones piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from watchkeeper.promql import Result, encode_pieces
from watchkeeper.server.prometheus_parameters import notes

STREAMED_SAMPLES = 100_000
"""A result of more samples than this is never in memory as JSON."""
_PIECE_BYTES = 1 << 18


def result_answer(
    result: Result, *, warnings: Sequence[str] = (), stats: dict[str, Any] | None = None
) -> Response:
    """Return a result in Prometheus' envelope."""
    pieces = _answer(result, warnings, b"" if stats is None else orjson.dumps(stats))
    if result.values.size <= STREAMED_SAMPLES:
        return Response(b"".join(pieces), media_type="application/json")
    return StreamingResponse(gathered(pieces), media_type="application/json")


def _answer(result: Result, warnings: Sequence[str], stats: bytes) -> Iterator[bytes]:
    yield b'{"status":"success","data":'
    yield from encode_pieces(result, stats)
    yield notes(warnings, result.infos) + b"}"


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give pieces of a size that is worth a system call."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
