"""Calls to large language models: time, outcome, tokens and money (GenAI conventions).

The cost is genai-prices'. A price that is not known is None, and counted as such: never zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from opentelemetry import trace

from watchkeeper.conventions import llm
from watchkeeper.instrument.calls import optional_span
from watchkeeper.instrument.telemetry import Telemetry

_payer: ContextVar[Mapping[str, str]] = ContextVar("payer", default=MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Tokens of one call. Cached ones are part of `input`, reasoning ones of `output`, as the
    providers report them; in the metric each token counts once, under its own type."""

    input: int = 0
    cached_input: int = 0
    output: int = 0
    reasoning: int = 0


class LlmCall:
    """One call under way. Tell it the usage, and the outcome if it is not success."""

    def __init__(self, telemetry: Telemetry, provider: str, model: str, span: trace.Span) -> None:
        self._telemetry = telemetry
        self._span = span
        self.provider = provider
        self.model = model
        self.result = "success"
        self.cost_usd: float | None = None
        self.tokens = TokenUsage()
        self.duration_seconds = 0.0

    def usage(
        self,
        *,
        input_tokens: int,
        output_tokens: int,
        cached_input_tokens: int = 0,
        reasoning_tokens: int = 0,
        response_model: str = "",
    ) -> None:
        """Count the call's tokens and their cost, once a call.

        `input_tokens` includes the cached ones and `output_tokens` the reasoning ones.
        """
        self.tokens = TokenUsage(
            input=input_tokens,
            cached_input=cached_input_tokens,
            output=output_tokens,
            reasoning=reasoning_tokens,
        )
        moment = datetime.fromtimestamp(self._telemetry.clock.time_ns() / 1e9, UTC)
        self.cost_usd = price_usd(self.provider, response_model or self.model, self.tokens, moment)
        span = self._span
        span.set_attribute("gen_ai.usage.input_tokens", input_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", output_tokens)
        if response_model:
            span.set_attribute("gen_ai.response.model", response_model)
        if self.cost_usd is not None:
            span.set_attribute("llm.cost_usd", self.cost_usd)
        self._count_tokens()
        self._count_cost()

    def outcome(self, outcome: str) -> None:
        """Say how the call ended: one of conventions.llm.OUTCOME's values."""
        self.result = outcome

    def _count_tokens(self) -> None:
        if not self._telemetry.declares(llm.TOKENS):
            return
        tokens = self.tokens
        counts = {
            "input": tokens.input - tokens.cached_input,
            "cached_input": tokens.cached_input,
            "output": tokens.output - tokens.reasoning,
            "reasoning": tokens.reasoning,
        }
        counter = self._telemetry.counter(llm.TOKENS)
        for kind, count in counts.items():
            if count > 0:
                counter.inc(count, provider=self.provider, model=self.model, type=kind)

    def _count_cost(self) -> None:
        labels = {"provider": self.provider, "model": self.model}
        if self.cost_usd is None:
            if self._telemetry.declares(llm.UNPRICED):
                self._telemetry.counter(llm.UNPRICED).inc(**labels)
        elif self._telemetry.declares(llm.COST):
            counter = self._telemetry.counter(llm.COST)
            declared = counter.declaration.label_names
            payer = {name: value for name, value in _payer.get().items() if name in declared}
            counter.inc(self.cost_usd, **{**payer, **labels})


@contextmanager
def charged_to(**labels: str) -> Iterator[None]:
    """Charge the calls inside the block to a tenant, a kind of user, a feature: the labels that
    the contract adds to the cost (`conventions.llm.cost`). Inner blocks add to outer ones."""
    token = _payer.set({**_payer.get(), **labels})
    try:
        yield
    finally:
        _payer.reset(token)


@contextmanager
def llm_call(
    telemetry: Telemetry, *, provider: str, model: str, operation: str = "chat"
) -> Iterator[LlmCall]:
    """Watch a call: `with llm_call(telemetry, provider="openai", model=m) as call:`.

    An exception that leaves the block is an outcome too: `timeout` for a TimeoutError, else
    `error`, unless `call.outcome` was told. Then `call.duration_seconds` is set as well.
    """
    started_ns = telemetry.clock.monotonic_ns()
    with optional_span(
        telemetry,
        llm.CALL_SPAN,
        **{
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
        },
    ) as span:
        call = LlmCall(telemetry, provider, model, span)
        try:
            yield call
        except BaseException as error:
            if call.result == "success":
                call.result = "timeout" if isinstance(error, TimeoutError) else "error"
            raise
        finally:
            call.duration_seconds = (telemetry.clock.monotonic_ns() - started_ns) / 1e9
            span.set_attribute("llm.outcome", call.result)
            if call.result != "success":
                span.set_attribute("error.type", call.result)
                span.set_status(trace.StatusCode.ERROR, call.result)
            _record(telemetry, call)


def price_usd(provider: str, model: str, tokens: TokenUsage, moment: datetime) -> float | None:
    """Return what a call at `moment` costs, or None if the price is not known."""
    try:
        from genai_prices import Usage, calc_price
    except ImportError:
        return None
    usage = Usage(
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cached_input,
        output_tokens=tokens.output,
    )
    try:
        price = calc_price(
            usage, model_ref=model, provider_id=provider, genai_request_timestamp=moment
        )
    except (LookupError, ValueError):
        return None
    return float(price.total_price)


def _record(telemetry: Telemetry, call: LlmCall) -> None:
    labels = {"provider": call.provider, "model": call.model}
    if telemetry.declares(llm.REQUEST_DURATION):
        telemetry.histogram(llm.REQUEST_DURATION).observe(call.duration_seconds, **labels)
    if telemetry.declares(llm.REQUESTS):
        telemetry.counter(llm.REQUESTS).inc(**labels, outcome=call.result)
