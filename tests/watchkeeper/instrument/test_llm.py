"""LLM calls: time, outcome, tokens counted once, and a cost that is never a guess."""

from __future__ import annotations

import pytest

from watchkeeper.contract import Contract, Label
from watchkeeper.conventions import llm
from watchkeeper.instrument.llm import charged_to, llm_call
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
    assert "llm.cost_usd" not in seen.span("llm_api_call").attributes


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
