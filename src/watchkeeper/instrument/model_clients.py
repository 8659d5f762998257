"""The clients of OpenAI's and Anthropic's SDKs, watched: each call of a model as `llm_call` has it.

What is watched is the one method that all requests of a client go through, so that every way to ask
(create, parse, stream, raw responses) is seen. A call that streams ends with its stream.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

from watchkeeper.instrument.answers import Answer
from watchkeeper.instrument.llm import LlmCall, begin_call
from watchkeeper.instrument.telemetry import Telemetry

Client = TypeVar("Client")

OPERATIONS = {
    "/chat/completions": "chat",
    "/responses": "chat",
    "/messages": "chat",
    "/completions": "text_completion",
    "/embeddings": "embeddings",
}
"""gen_ai.operation.name by how the path of a request ends; the first that fits."""

_REQUEST_ATTRIBUTES = {
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
}


def watch_model_client(telemetry: Telemetry, client: Client, *, provider: str = "") -> Client:
    """Return the client of OpenAI's or Anthropic's SDK, asynchronous or not, watched.

    `provider` is whose models they are, as prices are listed; '' is the SDK's own vendor.
    Anthropic's SDK has spans of its own: its client is copied with these turned off, and the copy
    is to be used. A stream of OpenAI's tells its tokens to those who ask for them
    (`stream_options={"include_usage": True}`); without, its cost is unknown.
    """
    watched: Any = client
    vendor = type(client).__module__.partition(".")[0]
    if vendor == "anthropic":
        watched = watched.copy(open_telemetry=False)
    calls = Calls(telemetry, provider or vendor)
    request = watched.request

    async def watched_async(cast_to: Any, options: Any, **given: Any) -> Any:
        call = calls.begin(options)
        if call is None:
            return await request(cast_to, options, **given)
        with _asking(call):
            answer = await request(cast_to, options, **given)
        return _answered(telemetry, call, answer)

    def watched_request(cast_to: Any, options: Any, **given: Any) -> Any:
        call = calls.begin(options)
        if call is None:
            return request(cast_to, options, **given)
        with _asking(call):
            answer = request(cast_to, options, **given)
        return _answered(telemetry, call, answer)

    watched.request = watched_async if inspect.iscoroutinefunction(request) else watched_request
    return watched  # type: ignore[no-any-return] # the class of `client`


@contextmanager
def _asking(call: LlmCall) -> Iterator[None]:
    """Make the call's span the current one until there is an answer, or end it without one."""
    with call.current():
        try:
            yield
        except BaseException as error:
            call.finish(error)
            raise


class Calls:
    """Tells calls of models from other requests, and begins them."""

    def __init__(self, telemetry: Telemetry, provider: str) -> None:
        self._telemetry = telemetry
        self._provider = provider

    def begin(self, options: Any) -> LlmCall | None:
        """Return the call that a request makes, or None if it asks no model."""
        try:
            path = urlsplit(str(options.url)).path
            operation = next((name for end, name in OPERATIONS.items() if path.endswith(end)), None)
            body = options.json_data
            if operation is None or not isinstance(body, Mapping) or options.method != "post":
                return None
            call = begin_call(
                self._telemetry,
                provider=self._provider,
                model=str(body.get("model", "")),
                operation=operation,
                stream=body.get("stream") is True,
            )
            for name, attribute in _REQUEST_ATTRIBUTES.items():
                if isinstance(body.get(name), int | float):
                    call.span.set_attribute(attribute, body[name])
            return call
        except Exception as error:  # noqa: BLE001 - never break the host
            self._telemetry.faults.note("llm", error)
            return None


def _answered(telemetry: Telemetry, call: LlmCall, answer: Any) -> Any:
    """Return the answer; one that is a stream ends the call when it ends."""
    try:
        watch = AnswerWatch(telemetry, call)
        kind: Any = type(answer)
        if hasattr(answer, "__aiter__") and hasattr(answer, "__anext__"):
            return _watched(answer, _async_stream(kind), watch)
        if hasattr(answer, "__iter__") and hasattr(answer, "__next__"):
            return _watched(answer, _stream(kind), watch)
        watch.take(answer, whole=True)
        watch.end()
    except Exception as error:  # noqa: BLE001 - never break the host
        telemetry.faults.note("llm", error)
        call.finish()
    return answer


class AnswerWatch:
    """Reads an answer, whole or piece by piece, and ends its call: also when the next piece is
    waited for inside of its block, and there is none."""

    def __init__(self, telemetry: Telemetry, call: LlmCall) -> None:
        self._telemetry = telemetry
        self._call = call
        self._answer = Answer()
        self._ended = False

    def take(self, piece: Any, *, whole: bool = False) -> None:
        """Take an answer, or the next event of a stream."""
        try:
            if self._answer.take(piece) and not whole:
                self._call.first_token()
        except Exception as error:  # noqa: BLE001 - never break the host
            self._telemetry.faults.note("llm", error)

    def end(self, error: BaseException | None = None) -> None:
        """End the call, once."""
        if self._ended:
            return
        self._ended = True
        answer, call = self._answer, self._call
        try:
            if answer.id:
                call.span.set_attribute("gen_ai.response.id", answer.id)
            tokens = answer.tokens()
            if tokens is not None:
                call.used(tokens, answer.model, answer.finish_reasons)
            elif error is None:
                call.unpriced()
            if answer.refused:
                call.outcome("refused")
        except Exception as fault:  # noqa: BLE001 - never break the host
            self._telemetry.faults.note("llm", fault)
        call.finish(error)

    def __enter__(self) -> None:
        """Wait for the next piece."""

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is not None:
            is_over = isinstance(error, StopIteration | StopAsyncIteration)
            self.end(None if is_over else error)

    def __del__(self) -> None:
        # Of a stream that nobody reads to its end, nor closes.
        self.end()


def _watched(stream: Any, watched_class: type, watch: AnswerWatch) -> Any:
    stream.watch = watch
    stream.__class__ = watched_class
    return stream


@cache
def _stream(base: Any) -> type:
    class WatchedStream(base):  # type: ignore[misc] # a class of either SDK
        """A stream that tells of its pieces, and of its end."""

        watch: AnswerWatch

        def __iter__(self) -> Iterator[Any]:
            return self

        def __next__(self) -> Any:
            with self.watch:
                piece = super().__next__()
            self.watch.take(piece)
            return piece

        def close(self) -> None:
            super().close()
            self.watch.end()

    return WatchedStream


@cache
def _async_stream(base: Any) -> type:
    class WatchedStream(base):  # type: ignore[misc] # a class of either SDK
        """A stream that tells of its pieces, and of its end."""

        watch: AnswerWatch

        def __aiter__(self) -> AsyncIterator[Any]:
            return self

        async def __anext__(self) -> Any:
            with self.watch:
                piece = await super().__anext__()
            self.watch.take(piece)
            return piece

        async def close(self) -> None:
            await super().close()
            self.watch.end()

    return WatchedStream
