"""Calls by the vendors' own SDKs over a socket: one span each, by the GenAI conventions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from resume_optimizer.devstack.vendor import DEVELOPMENT_KEY, Faults, Vendor
from resume_optimizer.llm.prompt import build_request
from resume_optimizer.llm.provider import provider_from_settings
from resume_optimizer.resumes.optimise import OptimisationFailure, optimise
from resume_optimizer.resumes.sample import POSTING, RESUME, read_text
from resume_optimizer.resumes.structure import structure
from resume_optimizer.settings import LlmSettings
from resume_optimizer.telemetry import FEATURE
from watchkeeper import Contract, Signals
from watchkeeper.conventions import llm, telemetry, users
from watchkeeper.instrument.llm import charged_to, llm_call
from watchkeeper.model import SpanKind, SpanRecord, StatusCode
from watchkeeper.testing import Captured, capture

pytestmark = pytest.mark.anyio

STREAMING = Contract(
    service="resume-optimizer",
    version="1",
    signals=Signals(),
    parts=(llm.watched(users.USER_TYPE, FEATURE, streams=True), telemetry.watched()),
)
"""The application's model calls, of a version of it that streams."""
MODELS = {"openai": "gpt-5.4-mini", "anthropic": "claude-sonnet-5"}
VENDORS = list(MODELS)
PATIENCE_SECONDS = 60.0
DOLLARS_A_MILLION = {"openai": (0.75, 4.5), "anthropic": (2.0, 10.0)}
PAYER = {"user_type": "free", "feature": "optimize_resume"}
STOPPED = {"openai": "stop", "anthropic": "end_turn"}
REQUEST = build_request(structure(read_text(RESUME)), read_text(POSTING))


@pytest.fixture
def seen() -> Iterator[Captured]:
    with capture(STREAMING) as captured:
        yield captured


async def ask(
    name: str, address: str, seen: Captured, timeout_seconds: float = PATIENCE_SECONDS
) -> None:
    """Optimise the sample's resume by the application's own way."""
    provider = provider_from_settings(
        LlmSettings(
            provider=name,
            model=MODELS[name],
            api_key=DEVELOPMENT_KEY,
            base_url=f"{address}/v1" if name == "openai" else address,
            timeout_seconds=timeout_seconds,
        )
    )
    try:
        with charged_to(**PAYER):
            await optimise(read_text(RESUME), read_text(POSTING), provider, seen.telemetry)
    finally:
        await provider.close()


async def stream(name: str, address: str, seen: Captured) -> str:
    """Ask for the same as a stream, and return the text that came."""
    with (
        charged_to(**PAYER),
        llm_call(seen.telemetry, provider=name, model=MODELS[name]) as call,
    ):
        seen.clock.advance(0.25)
        if name == "openai":
            return await stream_openai(address, call)
        return await stream_anthropic(address, call)


async def stream_openai(address: str, call: Any) -> str:
    text, reasons, usage, model = "", [], None, ""
    async with openai.AsyncOpenAI(api_key=DEVELOPMENT_KEY, base_url=f"{address}/v1") as client:
        chunks = await client.chat.completions.create(
            model=MODELS["openai"],
            messages=[{"role": "user", "content": REQUEST.user}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in chunks:
            usage, model = chunk.usage, chunk.model
            for choice in chunk.choices:
                if choice.delta.content:
                    call.first_token()
                    text += choice.delta.content
                if choice.finish_reason:
                    reasons.append(choice.finish_reason)
    assert usage is not None
    call.usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        response_model=model,
        finish_reasons=reasons,
    )
    return text


async def stream_anthropic(address: str, call: Any) -> str:
    text = ""
    async with (
        anthropic.AsyncAnthropic(
            api_key=DEVELOPMENT_KEY, base_url=address, open_telemetry=False
        ) as client,
        client.messages.stream(
            model=MODELS["anthropic"],
            max_tokens=4096,
            messages=[{"role": "user", "content": REQUEST.user}],
        ) as pieces,
    ):
        async for piece in pieces.text_stream:
            call.first_token()
            text += piece
        message = await pieces.get_final_message()
    call.usage(
        input_tokens=message.usage.input_tokens,
        output_tokens=message.usage.output_tokens,
        response_model=message.model,
        finish_reasons=[str(message.stop_reason)],
    )
    return text


def spans_of_calls(seen: Captured) -> list[SpanRecord]:
    """Return the spans of model calls, and see that no SDK made one more of its own."""
    assert {span.name for span in seen.spans} <= {llm.CALL_SPAN.name}
    return seen.spans


def assert_answered(seen: Captured, span: SpanRecord, name: str, outcome: str) -> None:
    """See that a call that was answered is told of in full, in its span and in the metrics."""
    of_the_call = {"provider": name, "model": MODELS[name]}
    attributes = span.attributes
    given, made = (attributes[f"gen_ai.usage.{side}_tokens"] for side in ("input", "output"))
    assert span.kind is SpanKind.CLIENT
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.provider.name"] == name
    assert attributes["gen_ai.request.model"] == MODELS[name]
    assert attributes["gen_ai.response.model"] == MODELS[name]
    assert list(attributes["gen_ai.response.finish_reasons"]) == [STOPPED[name]]
    assert attributes["llm.outcome"] == outcome
    dollars = sum(
        count * price / 1e6
        for count, price in zip((given, made), DOLLARS_A_MILLION[name], strict=True)
    )
    assert given > 500
    assert made > 10
    assert attributes["llm.cost_usd"] == pytest.approx(dollars)
    assert attributes["llm.price_date"] == "undated"
    assert attributes["llm.price_list"].startswith("genai-prices ")
    calls = seen.value(llm.REQUESTS, outcome=outcome, **of_the_call)
    assert calls == len(spans_of_calls(seen))
    if calls == 1:
        assert seen.value(llm.TOKENS, type="input", **of_the_call) == given
        assert seen.value(llm.TOKENS, type="output", **of_the_call) == made
        assert seen.value(llm.COST, **of_the_call) == pytest.approx(dollars)


@pytest.mark.parametrize("name", VENDORS)
async def test_a_call_that_succeeds(name: str, address: str, seen: Captured) -> None:
    await ask(name, address, seen)
    (span,) = spans_of_calls(seen)
    assert_answered(seen, span, name, "success")
    assert span.status is StatusCode.UNSET
    assert "error.type" not in span.attributes
    assert "gen_ai.response.time_to_first_chunk" not in span.attributes
    assert seen.value(llm.FIRST_TOKEN) == 0


@pytest.mark.parametrize("name", VENDORS)
async def test_a_call_that_streams_its_answer(name: str, address: str, seen: Captured) -> None:
    text = await stream(name, address, seen)
    assert text.startswith("{")
    assert text.endswith("}")
    (span,) = spans_of_calls(seen)
    assert_answered(seen, span, name, "success")
    assert span.attributes["gen_ai.request.stream"] is True
    assert span.attributes["gen_ai.response.time_to_first_chunk"] == 0.25
    assert seen.value(llm.FIRST_TOKEN, provider=name, model=MODELS[name]) == 1


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize(
    ("mode", "outcome"),
    [("rate_limited", "rate_limited"), ("errors", "error"), ("hang", "timeout")],
)
async def test_a_call_that_fails(
    name: str, mode: Any, outcome: str, address: str, vendor: Vendor, seen: Captured
) -> None:
    vendor.faults = Faults(mode=mode)
    with pytest.raises(OptimisationFailure):
        await ask(name, address, seen, 0.2 if mode == "hang" else PATIENCE_SECONDS)
    (span,) = spans_of_calls(seen)
    assert span.status is StatusCode.ERROR
    assert span.attributes["error.type"] == span.attributes["llm.outcome"] == outcome
    assert span.attributes["gen_ai.request.model"] == MODELS[name]
    of_answers = ("gen_ai.response.", "gen_ai.usage.", "llm.cost", "llm.price")
    assert not [key for key in span.attributes if key.startswith(of_answers)]
    assert seen.value(llm.REQUESTS, provider=name, outcome=outcome) == 1
    assert seen.value(llm.REQUEST_DURATION, provider=name) == 1
    assert seen.value(llm.TOKENS) == seen.value(llm.COST) == seen.value(llm.UNPRICED) == 0


@pytest.mark.parametrize("name", VENDORS)
async def test_an_answer_that_is_no_json_costs_all_the_same(
    name: str, address: str, vendor: Vendor, seen: Captured
) -> None:
    vendor.faults = Faults(mode="garbage")
    with pytest.raises(OptimisationFailure):
        await ask(name, address, seen)
    first, again = spans_of_calls(seen)
    for span in (first, again):
        assert_answered(seen, span, name, "invalid_answer")
        assert span.attributes["error.type"] == "invalid_answer"
        assert span.status is StatusCode.ERROR
    assert seen.value(llm.COST, provider=name) == pytest.approx(
        first.attributes["llm.cost_usd"] + again.attributes["llm.cost_usd"]
    )


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
async def test_a_body_that_is_no_json_is_an_error(name: str, kind: str, seen: Captured) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: 6\r\n\r\n"
        writer.write(head.encode() + b'{"id":')
        writer.close()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    async with server:
        with pytest.raises(OptimisationFailure):
            await ask(name, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen)
    (span,) = spans_of_calls(seen)
    assert span.attributes["error.type"] == "error"
    assert seen.value(llm.REQUESTS, provider=name, outcome="error") == 1
    assert seen.value(llm.TOKENS) == seen.value(llm.COST) == seen.value(llm.UNPRICED) == 0
