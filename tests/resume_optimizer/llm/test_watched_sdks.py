"""Clients of the vendors' SDKs, watched, over a socket: however they ask, one call is told of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import anthropic
import openai
import pytest

from resume_optimizer.devstack.vendor import DEVELOPMENT_KEY, Faults, Vendor
from resume_optimizer.llm.prompt import build_request
from resume_optimizer.resumes.sample import POSTING, RESUME, read_text
from resume_optimizer.resumes.structure import structure
from watchkeeper import Contract, Signals, Span
from watchkeeper.conventions import llm
from watchkeeper.instrument.model_clients import watch_model_client
from watchkeeper.model import SpanRecord, StatusCode
from watchkeeper.testing import Captured, capture

pytestmark = pytest.mark.anyio

WORK = Span("work", "What asks the model.")
CONTRACT = Contract(
    service="shop",
    version="1",
    signals=Signals(spans=(WORK,)),
    parts=(llm.watched(streams=True),),
)
MODELS = {"openai": "gpt-5.4-mini", "anthropic": "claude-sonnet-5"}
DOLLARS_A_MILLION = {"openai": (0.75, 4.5), "anthropic": (2.0, 10.0)}
VENDORS = list(MODELS)
QUESTION = [
    {
        "role": "user",
        "content": build_request(structure(read_text(RESUME)), read_text(POSTING)).user,
    }
]


@pytest.fixture
def seen() -> Iterator[Captured]:
    with capture(CONTRACT) as captured:
        yield captured


@pytest.fixture
async def client(address: str, seen: Captured) -> AsyncIterator[Callable[..., Any]]:
    """Make a watched client of a vendor's SDK: `client("openai", blocking=False, timeout=60.0)`."""
    kinds: dict[tuple[str, bool], Any] = {
        ("openai", False): openai.AsyncOpenAI,
        ("openai", True): openai.OpenAI,
        ("anthropic", False): anthropic.AsyncAnthropic,
        ("anthropic", True): anthropic.Anthropic,
    }
    async with AsyncExitStack() as stack:

        def make(name: str, *, blocking: bool = False, timeout: float = 60.0) -> Any:
            base = f"{address}/v1" if name == "openai" else address
            plain = kinds[name, blocking](
                api_key=DEVELOPMENT_KEY, base_url=base, max_retries=0, timeout=timeout
            )
            watched = watch_model_client(seen.telemetry, plain)
            stack.callback(watched.close) if blocking else stack.push_async_callback(watched.close)
            return watched

        yield make


def ask(name: str, watched: Any, **options: Any) -> Any:
    """Ask the model, by the SDK's plainest way."""
    if name == "openai":
        return watched.chat.completions.create(
            model=MODELS[name], messages=QUESTION, max_completion_tokens=4096, **options
        )
    return watched.messages.create(
        model=MODELS[name], messages=QUESTION, max_tokens=4096, **options
    )


def streaming(name: str) -> dict[str, Any]:
    return {"stream": True} | (
        {"stream_options": {"include_usage": True}} if name == "openai" else {}
    )


def assert_told(seen: Captured, name: str) -> SpanRecord:
    """See that the one call is told of in full; return its span."""
    [span] = [span for span in seen.spans if span.name != "work"]
    attributes = span.attributes
    given, made = (attributes[f"gen_ai.usage.{side}_tokens"] for side in ("input", "output"))
    assert span.name == llm.CALL_SPAN.name
    assert span.status is StatusCode.UNSET
    assert attributes["gen_ai.provider.name"] == name
    assert attributes["gen_ai.request.model"] == attributes["gen_ai.response.model"] == MODELS[name]
    assert attributes["gen_ai.request.max_tokens"] == 4096
    assert str(attributes["gen_ai.response.id"]).startswith(("chatcmpl-", "msg_"))
    assert attributes["gen_ai.response.finish_reasons"] in (("stop",), ("end_turn",))
    assert given > 500
    dollars = sum(
        count * price / 1e6
        for count, price in zip((given, made), DOLLARS_A_MILLION[name], strict=True)
    )
    labels = {"provider": name, "model": MODELS[name]}
    assert seen.value(llm.COST, **labels) == pytest.approx(dollars)
    assert seen.value(llm.TOKENS, type="input", **labels) == given
    assert seen.value(llm.TOKENS, type="output", **labels) == made
    assert seen.value(llm.REQUESTS, outcome="success", **labels) == 1
    assert seen.value(llm.REQUESTS) == seen.value(llm.REQUEST_DURATION) == 1
    assert seen.value(llm.UNPRICED) == 0
    return span


@pytest.mark.parametrize("name", VENDORS)
async def test_an_answer_that_comes_whole(name: str, client: Any, seen: Captured) -> None:
    with seen.telemetry.span(WORK):
        answer = await ask(name, client(name))
    span = assert_told(seen, name)
    assert answer.id == span.attributes["gen_ai.response.id"]
    assert span.parent_span_id == seen.span("work").span_id
    assert "gen_ai.request.stream" not in span.attributes


@pytest.mark.parametrize("name", VENDORS)
async def test_a_client_that_blocks(name: str, client: Any, seen: Captured) -> None:
    blocking = client(name, blocking=True)
    await asyncio.to_thread(ask, name, blocking)
    assert_told(seen, name)


@pytest.mark.parametrize("name", VENDORS)
async def test_a_stream_ends_its_call_when_it_ends(name: str, client: Any, seen: Captured) -> None:
    stream = await ask(name, client(name), **streaming(name))
    with seen.telemetry.span(WORK) as work:
        seen.clock.advance(0.25)
        async for _ in stream:
            assert seen.value(llm.REQUESTS) == 0
        assert seen.telemetry.trace_id() == f"{work.get_span_context().trace_id:032x}"
    span = assert_told(seen, name)
    assert span.attributes["gen_ai.request.stream"] is True
    assert span.attributes["gen_ai.response.time_to_first_chunk"] == 0.25
    assert span.trace_id != seen.span("work").trace_id


@pytest.mark.parametrize("name", VENDORS)
async def test_a_stream_of_a_client_that_blocks(name: str, client: Any, seen: Captured) -> None:
    def read() -> None:
        for _ in ask(name, client(name, blocking=True), **streaming(name)):
            pass

    await asyncio.to_thread(read)
    assert assert_told(seen, name).attributes["gen_ai.request.stream"] is True


@pytest.mark.parametrize("name", VENDORS)
async def test_the_helpers_for_streams_are_seen_too(name: str, client: Any, seen: Captured) -> None:
    watched = client(name)
    if name == "openai":
        manager = watched.chat.completions.stream(
            model=MODELS[name],
            messages=QUESTION,
            max_completion_tokens=4096,
            stream_options={"include_usage": True},
        )
    else:
        manager = watched.messages.stream(model=MODELS[name], messages=QUESTION, max_tokens=4096)
    async with manager as stream:
        async for _ in stream:
            pass
    assert_told(seen, name)


async def test_a_stream_that_nobody_reads_to_its_end(client: Any, seen: Captured) -> None:
    stream = await ask("anthropic", client("anthropic"), stream=True)
    await anext(stream)
    await stream.close()
    span = seen.span(llm.CALL_SPAN.name)
    assert span.attributes["gen_ai.usage.input_tokens"] > 500
    assert seen.value(llm.REQUESTS, outcome="success") == 1


async def test_a_stream_that_tells_no_tokens_has_no_known_cost(client: Any, seen: Captured) -> None:
    async for _ in await ask("openai", client("openai"), stream=True):
        pass
    span = seen.span(llm.CALL_SPAN.name)
    assert span.attributes["llm.price_date"] == "unknown"
    assert "llm.cost_usd" not in span.attributes
    assert seen.value(llm.UNPRICED) == 1
    assert seen.value(llm.COST) == 0


@pytest.mark.parametrize("blocking", [False, True])
@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize(
    ("mode", "outcome"),
    [("rate_limited", "rate_limited"), ("errors", "error"), ("hang", "timeout")],
)
async def test_a_call_that_fails(
    name: str,
    blocking: bool,
    mode: Any,
    outcome: str,
    client: Any,
    vendor: Vendor,
    seen: Captured,
) -> None:
    vendor.faults = Faults(mode=mode)
    watched = client(name, blocking=blocking, timeout=0.2 if mode == "hang" else 60.0)
    with pytest.raises((openai.APIError, anthropic.APIError)):
        await (asyncio.to_thread(ask, name, watched) if blocking else ask(name, watched))
    span = seen.span(llm.CALL_SPAN.name)
    assert span.status is StatusCode.ERROR
    assert span.attributes["llm.outcome"] == outcome
    assert span.events[0].name == "exception"
    assert seen.value(llm.REQUESTS, provider=name, outcome=outcome) == 1
    assert seen.value(llm.TOKENS) == seen.value(llm.UNPRICED) == 0


async def test_a_wrong_key_is_a_refusal(client: Any, vendor: Vendor, seen: Captured) -> None:
    vendor.api_key = "another"
    with pytest.raises(openai.AuthenticationError):
        await ask("openai", client("openai"))
    assert seen.value(llm.REQUESTS, outcome="refused") == 1


async def test_what_asks_no_model_is_no_call(client: Any, seen: Captured) -> None:
    models = await client("openai").models.list()
    assert models.data
    assert seen.spans == []
    assert seen.value(llm.REQUESTS) == 0


@pytest.mark.parametrize("name", VENDORS)
async def test_a_raw_answer_is_timed_at_least(name: str, client: Any, seen: Captured) -> None:
    watched = client(name)
    raw = watched.chat.completions if name == "openai" else watched.messages
    answer = await raw.with_raw_response.create(
        model=MODELS[name], messages=QUESTION, **({"max_tokens": 9} if name == "anthropic" else {})
    )
    assert answer.status_code == 200
    assert seen.value(llm.REQUESTS, provider=name, outcome="success") == 1
    assert seen.value(llm.UNPRICED, provider=name) == 1
