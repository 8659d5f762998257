"""The vendor's answers piece by piece, as server-sent events of either protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

PIECE_CHARACTERS = 200
"""A few dozen tokens: a real vendor sends about one a piece."""


def openai_stream(answer: dict[str, Any], *, tells_usage: bool) -> Iterator[bytes]:
    """Yield a chat completion as chunks; the last one tells the usage, to those who asked."""
    shared = {
        **{name: answer[name] for name in ("id", "created", "model")},
        "object": "chat.completion.chunk",
    }
    (choice,) = answer["choices"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += ({"content": piece} for piece in _pieces(choice["message"]["content"]))
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]})
    for one in choices:
        yield _event({**shared, "choices": [one]})
    if tells_usage:
        yield _event({**shared, "choices": [], "usage": answer["usage"]})
    yield b"data: [DONE]\n\n"


def anthropic_stream(answer: dict[str, Any]) -> Iterator[bytes]:
    """Yield a message as its events: it starts, its text grows, why it stopped, it stops."""
    (block,) = answer["content"]
    begun = {**answer, "content": [], "stop_reason": None}
    begun["usage"] = {**answer["usage"], "output_tokens": 1}
    stopped = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {**block, "text": ""}},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": piece},
            }
            for piece in _pieces(block["text"])
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": stopped,
            "usage": {"output_tokens": answer["usage"]["output_tokens"]},
        },
        {"type": "message_stop"},
    ]
    for event in events:
        yield b"event: " + str(event["type"]).encode() + b"\n" + _event(event)


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE_CHARACTERS):
        yield text[start : start + PIECE_CHARACTERS]


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"
