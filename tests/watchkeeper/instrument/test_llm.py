"""LLM calls: time, outcome, tokens counted once, and a cost that is never a guess."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import genai_prices
import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot, set_custom_snapshot
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv.attributes import error_attributes

from watchkeeper import Settings, Telemetry
from watchkeeper.contract import Contract, Label
from watchkeeper.conventions import llm
from watchkeeper.instrument.llm import charged_to, llm_call
from watchkeeper.instrument.prices import Price, TokenUsage, find_price
from watchkeeper.model import StatusCode
from watchkeeper.testing import Captured, capture

OPENAI = {"provider": "openai", "model": "gpt-4o-mini"}


def test_a_call_that_succeeds(seen: Captured) -> None:
    with llm_call(seen.telemetry, **OPENAI) as call:
        seen.clock.advance(2.5)
        call.usage(
            input_tokens=1000, cached_input_tokens=400, output_tokens=500, reasoning_tokens=100
        )
    # gpt-4o-mini: $0.15 a million input tokens, $0.075 cached, $0.60 output.
    assert call.cost_usd == pytest.approx((600 * 0.15 + 400 * 0.075 + 500 * 0.6) / 1e6)
    assert call.duration_seconds == 2.5
    assert seen.value(llm.TOKENS, type="input") == 600
    assert seen.value(llm.TOKENS, type="cached_input") == 400
    assert seen.value(llm.TOKENS, type="output") == 400
    assert seen.value(llm.TOKENS, type="reasoning") == 100
    assert seen.value(llm.COST, **OPENAI) == pytest.approx(call.cost_usd)
    assert seen.value(llm.REQUESTS, outcome="success", **OPENAI) == 1
    assert seen.total(llm.REQUEST_DURATION, **OPENAI) == 2.5
    span = seen.span("llm_api_call")
    assert span.attributes["gen_ai.usage.input_tokens"] == 1000
    assert span.attributes["gen_ai.provider.name"] == "openai"
    assert span.status is StatusCode.UNSET


def test_an_unknown_price_is_counted_and_not_zero(seen: Captured) -> None:
    with llm_call(seen.telemetry, provider="offline", model="own-1") as call:
        call.usage(input_tokens=10, output_tokens=10)
    assert call.cost_usd is None
    assert seen.value(llm.UNPRICED, provider="offline", model="own-1") == 1
    assert seen.value(llm.COST) == 0
    attributes = seen.span("llm_api_call").attributes
    assert "llm.cost_usd" not in attributes
    assert attributes["llm.price_date"] == "unknown"


@pytest.mark.parametrize(
    ("moment", "date", "dollars_a_million"),
    [("2025-06-09", "undated", 10), ("2025-06-10", "2025-06-10", 2)],
)
def test_a_cost_tells_the_date_and_the_list_of_its_price(
    moment: str, date: str, dollars_a_million: int
) -> None:
    """o3 became cheaper on 10 June 2025; of the price before, the list has no date."""
    price = find_price("openai", "o3", TokenUsage(input=1_000_000), datetime.fromisoformat(moment))
    assert price == Price(
        cost_usd=dollars_a_million, date=date, price_list=f"genai-prices {genai_prices.__version__}"
    )


def test_a_span_tells_which_price_its_cost_used(seen: Captured) -> None:
    with llm_call(seen.telemetry, provider="openai", model="o3") as call:
        call.usage(input_tokens=1_000_000, output_tokens=0)
    attributes = seen.span("llm_api_call").attributes
    assert attributes["llm.cost_usd"] == 2.0
    assert attributes["llm.price_date"] == "2025-06-10"
    assert attributes["llm.price_list"] == f"genai-prices {genai_prices.__version__}"


def test_a_price_from_a_fetched_list_has_the_day_of_the_fetch() -> None:
    fetched = datetime(2026, 3, 4, 5, tzinfo=UTC)
    fresh = DataSnapshot(get_snapshot().providers, from_auto_update=True, timestamp=fetched)
    set_custom_snapshot(fresh)
    try:
        price = find_price("openai", "gpt-4o-mini", TokenUsage(input=1), fetched)
    finally:
        set_custom_snapshot(None)
    assert price is not None
    assert price.date == "2026-03-04"


def test_a_streamed_call_tells_when_its_first_token_came_and_of_no_other(seen: Captured) -> None:
    with llm_call(seen.telemetry, **OPENAI) as call:
        for _ in range(3):
            seen.clock.advance(0.4)
            call.first_token()
    assert call.first_token_seconds == 0.4
    assert seen.value(llm.FIRST_TOKEN, **OPENAI) == 1
    assert seen.total(llm.FIRST_TOKEN, **OPENAI) == 0.4
    attributes = seen.span("llm_api_call").attributes
    assert attributes["gen_ai.response.time_to_first_chunk"] == 0.4
    assert attributes["gen_ai.request.stream"] is True


def test_a_streamed_call_that_fails_before_its_first_token_is_still_told_as_one(
    seen: Captured,
) -> None:
    with pytest.raises(TimeoutError), llm_call(seen.telemetry, **OPENAI, stream=True):
        raise TimeoutError
    attributes = seen.span("llm_api_call").attributes
    assert attributes["gen_ai.request.stream"] is True
    assert "gen_ai.response.time_to_first_chunk" not in attributes


def test_what_is_written_to_a_cache_has_a_price_of_its_own(seen: Captured) -> None:
    """claude-sonnet-5: $2 a million input tokens, $0.2 read from a cache, $2.5 written to one."""
    with llm_call(seen.telemetry, provider="anthropic", model="claude-sonnet-5") as call:
        call.usage(
            input_tokens=1000, cached_input_tokens=300, cache_write_tokens=500, output_tokens=0
        )
    assert call.cost_usd == pytest.approx((200 * 2 + 300 * 0.2 + 500 * 2.5) / 1e6)
    assert seen.value(llm.TOKENS, type="input") == 200
    assert seen.value(llm.TOKENS, type="cached_input") == 300
    assert seen.value(llm.TOKENS, type="cache_write") == 500
    attributes = seen.span("llm_api_call").attributes
    assert attributes["gen_ai.usage.input_tokens"] == 1000
    assert attributes["gen_ai.usage.cache_creation.input_tokens"] == 500


def test_a_cache_that_keeps_for_an_hour_is_dearer() -> None:
    """claude-sonnet-5: $4 a million tokens written to a cache for an hour."""
    tokens = TokenUsage(input=1000, cache_write=1000, cache_write_hour=400)
    price = find_price("anthropic", "claude-sonnet-5", tokens, datetime(2026, 11, 1, tzinfo=UTC))
    assert price is not None
    assert price.cost_usd == pytest.approx((600 * 2.5 + 400 * 4) / 1e6)


@pytest.mark.parametrize("wrong", [-1, None, "many"])
def test_tokens_that_cannot_be_cost_the_service_nothing(wrong: Any) -> None:
    telemetry = Telemetry(
        Contract(service="shop", version="1", parts=(llm.watched(),)), Settings(log="off")
    )
    with llm_call(telemetry, **OPENAI) as call:
        call.usage(input_tokens=wrong, output_tokens=wrong)
    assert call.cost_usd is None
    assert call.result == "success"


def test_the_attributes_are_those_of_the_semantic_conventions() -> None:
    known = {
        value
        for module in (gen_ai_attributes, error_attributes)
        for value in vars(module).values()
        if isinstance(value, str)
    }
    ours = {"llm.outcome", "llm.cost_usd", "llm.price_date", "llm.price_list"}
    assert set(llm.CALL_SPAN.attributes) - ours <= known


def test_a_call_that_does_not_stream_has_no_first_token(seen: Captured) -> None:
    with llm_call(seen.telemetry, **OPENAI) as call:
        call.usage(input_tokens=10, output_tokens=10)
    assert seen.value(llm.FIRST_TOKEN) == 0
    assert b"llm_time_to_first_token_seconds_count{" not in seen.telemetry.exposition()[0]
    attributes = seen.span("llm_api_call").attributes
    assert not {"gen_ai.response.time_to_first_chunk", "gen_ai.request.stream"} & set(attributes)


@settings(max_examples=20)
@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 5000))
def test_every_token_counts_once(given_new: int, cached: int, written: int, reasoning: int) -> None:
    with capture(Contract(service="shop", version="1", parts=(llm.watched(),))) as seen:
        with llm_call(seen.telemetry, **OPENAI) as call:
            call.usage(
                input_tokens=given_new + cached,
                cached_input_tokens=cached,
                output_tokens=written + reasoning,
                reasoning_tokens=reasoning,
            )
        assert seen.value(llm.TOKENS) == given_new + cached + written + reasoning
        expected = given_new * 0.15 + cached * 0.075 + (written + reasoning) * 0.6
        assert seen.value(llm.COST) == pytest.approx(expected / 1e6)


@pytest.mark.parametrize(
    ("error", "outcome"), [(TimeoutError(), "timeout"), (ConnectionError("x"), "error")]
)
def test_a_call_that_raises(seen: Captured, error: Exception, outcome: str) -> None:
    with pytest.raises(type(error)), llm_call(seen.telemetry, **OPENAI):
        raise error
    assert seen.value(llm.REQUESTS, outcome=outcome) == 1
    assert seen.value(llm.REQUEST_DURATION) == 1
    assert seen.span("llm_api_call").status is StatusCode.ERROR


def test_an_answer_that_is_not_what_was_asked_for(seen: Captured) -> None:
    with llm_call(seen.telemetry, **OPENAI) as call:
        call.usage(input_tokens=10, output_tokens=10)
        call.outcome("invalid_answer")
    assert seen.value(llm.REQUESTS, outcome="invalid_answer") == 1
    span = seen.span("llm_api_call")
    assert span.attributes["llm.outcome"] == "invalid_answer"
    assert span.status is StatusCode.ERROR


def test_an_outcome_that_was_told_outlives_the_exception(seen: Captured) -> None:
    def ask() -> None:
        with llm_call(seen.telemetry, **OPENAI) as call:
            call.outcome("rate_limited")
            raise RuntimeError("429")

    with pytest.raises(RuntimeError, match="429"):
        ask()
    assert seen.value(llm.REQUESTS, outcome="rate_limited") == 1


def test_a_cost_is_charged_to_whom_the_contract_names() -> None:
    tenant, feature = Label("tenant"), Label("feature", values=("chat", "search"))
    contract = Contract(service="shop", version="1", parts=(llm.watched(tenant, feature),))
    with capture(contract) as seen:
        with charged_to(tenant="acme", feature="chat", invoice="17"):
            with charged_to(feature="search"), llm_call(seen.telemetry, **OPENAI) as call:
                call.usage(input_tokens=1000, output_tokens=0)
            with llm_call(seen.telemetry, **OPENAI) as call:
                call.usage(input_tokens=3000, output_tokens=0)
        cost = llm.cost(tenant, feature)
        assert seen.value(cost, tenant="acme", feature="search") == pytest.approx(0.15e-3)
        assert seen.value(cost, tenant="acme", feature="chat") == pytest.approx(0.45e-3)


def test_a_cost_is_charged_to_nobody_where_the_contract_names_nobody(seen: Captured) -> None:
    with charged_to(tenant="acme"), llm_call(seen.telemetry, **OPENAI) as call:
        call.usage(input_tokens=1000, output_tokens=0)
    assert seen.value(llm.COST, **OPENAI) == pytest.approx(0.15e-3)
