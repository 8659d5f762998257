"""A vendor of language models on loopback, for development, tests and drills.

It speaks OpenAI's chat completions and Anthropic's messages, answers with the offline optimiser, at
once or as a stream, and can fail as vendors do: `POST /faults {"mode": "rate_limited"}`. What it
answers is marked with the model it was asked for, so that prices are those of that model.

Run as `python -m resume_optimizer.devstack.vendor --port N`; the key is VENDOR_API_KEY.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import click
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from resume_optimizer.devstack.vendor_stream import anthropic_stream, openai_stream
from resume_optimizer.llm.offline import OfflineProvider
from resume_optimizer.llm.provider import Completion, CompletionRequest, ProviderFailure
from resume_optimizer.llm.tokens import estimate_usage

MODELS = ("gpt-5.4-mini", "gpt-5.4", "claude-sonnet-5")
DEVELOPMENT_KEY = "vendor-development-key"
_HANG_SECONDS = 3600.0
_ERROR = "The server had an error while processing your request. Sorry about that!"
_RATE_LIMITED = "Rate limit reached. Please try again in 20s."
_GARBAGE = "Certainly! Here is a wonderful resume: [the rest of this message was lost"

ErrorAnswer = Callable[[int, str, str], Response]
Mode = Literal["none", "errors", "slow", "rate_limited", "garbage", "hang"]


class Faults(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How the vendor fails. `delay_seconds` is what `slow` adds to each answer."""

    mode: Mode = "none"
    delay_seconds: float = 0.0


class Message(msgspec.Struct):
    """One message of a conversation."""

    role: str
    content: Any = ""


class Question(msgspec.Struct):
    """What both protocols have in common; the rest of a body is not looked at."""

    model: str
    messages: list[Message]
    system: Any = ""
    stream: bool = False
    stream_options: dict[str, Any] | None = None


@dataclass
class Vendor:
    """The vendor's state: the key it takes and the fault that is in."""

    api_key: str = DEVELOPMENT_KEY
    faults: Faults = field(default_factory=Faults)
    answered: int = 0

    async def completions(self, request: Request) -> Response:
        """Answer POST /v1/chat/completions."""
        if not self._knows(request):
            return _openai_error(
                401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"
            )
        if failed := await self._fail(_openai_error):
            return failed
        question = await _question(request)
        if question is None:
            return _openai_error(
                400, "We could not parse the JSON body of your request.", "invalid_request_error"
            )
        completion = await self._answer(question)
        usage = completion.usage
        answer = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": question.model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": completion.text},
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": usage.input_tokens,
                "completion_tokens": usage.output_tokens,
                "total_tokens": usage.input_tokens + usage.output_tokens,
                "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens},
                "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
            },
        }
        if question.stream:
            asked = question.stream_options or {}
            return _streamed(openai_stream(answer, tells_usage=bool(asked.get("include_usage"))))
        return JSONResponse(answer)

    async def messages(self, request: Request) -> Response:
        """Answer POST /v1/messages."""
        if not self._knows(request):
            return _anthropic_error(401, "invalid x-api-key", "authentication_error")
        if failed := await self._fail(_anthropic_error):
            return failed
        question = await _question(request)
        if question is None:
            return _anthropic_error(400, "messages: Field required", "invalid_request_error")
        completion = await self._answer(question)
        answer = {
            "id": f"msg_{secrets.token_hex(12)}",
            "type": "message",
            "role": "assistant",
            "model": question.model,
            "content": [{"type": "text", "text": completion.text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": completion.usage.input_tokens,
                "output_tokens": completion.usage.output_tokens,
                "cache_read_input_tokens": 0,
                "cache_creation_input_tokens": 0,
            },
        }
        return _streamed(anthropic_stream(answer)) if question.stream else JSONResponse(answer)

    async def models(self, request: Request) -> Response:
        """Answer GET /v1/models, which is also how one sees that the vendor is up."""
        if self.faults.mode == "errors":
            return _openai_error(500, _ERROR, "server_error")
        models = [{"id": name, "object": "model", "owned_by": "vendor"} for name in MODELS]
        return JSONResponse({"object": "list", "data": models})

    async def set_faults(self, request: Request) -> Response:
        """Put a fault in (POST /faults), or tell which one is in (GET /faults)."""
        if request.method == "POST":
            try:
                self.faults = msgspec.json.decode(await request.body(), type=Faults)
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({**msgspec.to_builtins(self.faults), "answered": self.answered})

    def _knows(self, request: Request) -> bool:
        """Whether the key is ours; Anthropic takes it in either header."""
        key = request.headers.get("x-api-key")
        if key is None:
            key = request.headers.get("authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(key.encode(), self.api_key.encode())

    async def _fail(self, error: ErrorAnswer) -> Response | None:
        mode = self.faults.mode
        if mode == "errors":
            return error(500, _ERROR, "server_error")
        if mode == "rate_limited":
            kind = "rate_limit_exceeded" if error is _openai_error else "rate_limit_error"
            response = error(429, _RATE_LIMITED, kind)
            response.headers["retry-after"] = "20"
            return response
        if mode == "slow":
            await asyncio.sleep(self.faults.delay_seconds)
        if mode == "hang":
            await asyncio.sleep(_HANG_SECONDS)
        return None

    async def _answer(self, question: Question) -> Completion:
        system = _text(question.system)
        users = [_text(one.content) for one in question.messages if one.role == "user"]
        systems = [_text(one.content) for one in question.messages if one.role == "system"]
        asked = CompletionRequest(
            system="\n".join([system, *systems]).strip(), user="\n".join(users), schema={}
        )
        self.answered += 1
        try:
            completion = await OfflineProvider().complete(asked)
        except ProviderFailure:
            text = "I can only optimise resumes."
            completion = Completion(text, estimate_usage(asked, text), question.model)
        if self.faults.mode == "garbage":
            return Completion(_GARBAGE, completion.usage, completion.model)
        return completion


def create_vendor(vendor: Vendor) -> Starlette:
    """Return the ASGI application."""
    return Starlette(
        routes=[
            Route("/v1/chat/completions", vendor.completions, methods=["POST"]),
            Route("/v1/messages", vendor.messages, methods=["POST"]),
            Route("/v1/models", vendor.models, methods=["GET"]),
            Route("/faults", vendor.set_faults, methods=["GET", "POST"]),
        ]
    )


async def _question(request: Request) -> Question | None:
    try:
        return msgspec.json.decode(await request.body(), type=Question)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def _streamed(events: Iterator[bytes]) -> Response:
    return StreamingResponse(events, media_type="text/event-stream")


def _text(content: Any) -> str:
    """A message's text: a string, or blocks of which some are text."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(str(one.get("text", "")) for one in blocks if isinstance(one, dict))


def _openai_error(status: int, message: str, kind: str, code: str | None = None) -> Response:
    body = {"error": {"message": message, "type": kind, "param": None, "code": code or kind}}
    return JSONResponse(body, status_code=status)


def _anthropic_error(status: int, message: str, kind: str) -> Response:
    kind = "api_error" if kind == "server_error" else kind
    body = {"type": "error", "error": {"type": kind, "message": message}}
    return JSONResponse(body, status_code=status)


@click.command()
@click.option("--port", type=int, required=True, help="The port on 127.0.0.1.")
def main(port: int) -> None:
    """Run the vendor until it is told to stop."""
    vendor = Vendor(api_key=os.environ.get("VENDOR_API_KEY", DEVELOPMENT_KEY))
    uvicorn.run(create_vendor(vendor), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
