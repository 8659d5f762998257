"""Calls to large language models: time, outcome, tokens and money (GenAI conventions).

The cost is genai-prices', and says which of its prices it used. A price that is not known is None,
and counted as such: never zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType

from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

from watchkeeper.conventions import llm
from watchkeeper.instrument.current import enter, leave
from watchkeeper.instrument.prices import Price, TokenUsage, find_price, price_attributes
from watchkeeper.instrument.span import LiveSpan
from watchkeeper.instrument.telemetry import Telemetry

_OUTCOMES = {
    "TimeoutError": "timeout",
    "APITimeoutError": "timeout",
    "RateLimitError": "rate_limited",
    "OverloadedError": "rate_limited",
    "AuthenticationError": "refused",
    "PermissionDeniedError": "refused",
    "BadRequestError": "refused",
    "ContentFilterFinishReasonError": "refused",
}
"""By the names of exceptions, which OpenAI's and Anthropic's SDKs share."""

STREAM = "gen_ai.request.stream"

_payer: ContextVar[Mapping[str, str]] = ContextVar("payer", default=MappingProxyType({}))


class LlmCall:
    """One call under way. Tell it the first token if it streams, the usage, and the outcome if it
    is not success."""

    def __init__(self, telemetry: Telemetry, provider: str, model: str, span: trace.Span) -> None:
        self._telemetry = telemetry
        self.span = span
        self._finished = False
        self._started_ns = telemetry.clock.monotonic_ns()
        self.provider = provider
        self.model = model
        self.result = "success"
        self.price: Price | None = None
        self.tokens = TokenUsage()
        self.duration_seconds = 0.0
        self.first_token_seconds: float | None = None

    @property
    def cost_usd(self) -> float | None:
        """What the call costs, or None as long as that is not known."""
        return self.price.cost_usd if self.price else None

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the call's span the current one inside of the block."""
        token = enter(self.span, None) if isinstance(self.span, LiveSpan) else None
        try:
            yield
        finally:
            if token is not None:
                leave(token)

    def first_token(self) -> None:
        """Say that a piece of a streamed answer has come. Only the first one counts, so that it
        may be said of each."""
        if self.first_token_seconds is not None:
            return
        seconds = self.elapsed_seconds()
        self.first_token_seconds = seconds
        self.span.set_attribute(STREAM, True)
        self.span.set_attribute("gen_ai.response.time_to_first_chunk", seconds)
        if self._telemetry.declares(llm.FIRST_TOKEN):
            self._telemetry.histogram(llm.FIRST_TOKEN).observe(
                seconds, provider=self.provider, model=self.model
            )

    def usage(
        self,
        *,
        input_tokens: int,
        output_tokens: int,
        cached_input_tokens: int = 0,
        cache_write_tokens: int = 0,
        reasoning_tokens: int = 0,
        response_model: str = "",
        finish_reasons: Sequence[str] = (),
    ) -> None:
        """Count the call's tokens and their cost, once a call.

        `input_tokens` includes those read from a cache (`cached_input_tokens`) and those written to
        one (`cache_write_tokens`), `output_tokens` the reasoning ones. `finish_reasons` are the
        vendor's own words for why the model stopped, one a choice.
        """
        tokens = TokenUsage(
            input=input_tokens,
            cached_input=cached_input_tokens,
            cache_write=cache_write_tokens,
            output=output_tokens,
            reasoning=reasoning_tokens,
        )
        self.used(tokens, response_model, finish_reasons)

    def used(
        self, tokens: TokenUsage, response_model: str = "", finish_reasons: Sequence[str] = ()
    ) -> None:
        """Count the call's tokens and their cost, once a call: what `usage` does, with all that
        can be told."""
        try:
            self._use(tokens, response_model, finish_reasons)
        except Exception as error:  # noqa: BLE001 - never break the host
            self._telemetry.faults.note("llm", error)

    def _use(self, tokens: TokenUsage, response_model: str, finish_reasons: Sequence[str]) -> None:
        self.tokens = tokens
        self._count_tokens()
        moment = datetime.fromtimestamp(self._telemetry.clock.time_ns() / 1e9, UTC)
        self.price = find_price(self.provider, response_model or self.model, self.tokens, moment)
        self.span.set_attributes(
            {
                "gen_ai.usage.input_tokens": tokens.input,
                "gen_ai.usage.output_tokens": tokens.output,
                **_where_given("gen_ai.usage.cache_read.input_tokens", tokens.cached_input),
                **_where_given("gen_ai.usage.cache_creation.input_tokens", tokens.cache_write),
                **_where_given("gen_ai.usage.reasoning.output_tokens", tokens.reasoning),
                **_where_given("gen_ai.response.model", response_model),
                **_where_given("gen_ai.response.finish_reasons", tuple(finish_reasons)),
                **price_attributes(self.price),
            }
        )
        self._count_cost()

    def outcome(self, outcome: str) -> None:
        """Say how the call ended: one of conventions.llm.OUTCOME's values."""
        self.result = outcome

    def finish(self, error: BaseException | None = None) -> None:
        """End the call; an `error` that ended it is an outcome too, unless one was told."""
        if self._finished:
            return
        self._finished = True
        if error is not None and self.result == "success":
            self.result = outcome_of(error)
        self.duration_seconds = self.elapsed_seconds()
        span = self.span
        span.set_attribute("llm.outcome", self.result)
        if self.result != "success":
            span.set_attribute("error.type", self.result)
            span.set_status(trace.StatusCode.ERROR, self.result)
        if isinstance(error, Exception) and isinstance(span, LiveSpan):
            span.fail(error)
        span.end()
        labels = {"provider": self.provider, "model": self.model}
        if self._telemetry.declares(llm.REQUEST_DURATION):
            self._telemetry.histogram(llm.REQUEST_DURATION).observe(self.duration_seconds, **labels)
        if self._telemetry.declares(llm.REQUESTS):
            self._telemetry.counter(llm.REQUESTS).inc(**labels, outcome=self.result)

    def unpriced(self) -> None:
        """Say that the vendor did not tell what was used: the cost is not known."""
        self.span.set_attributes(price_attributes(None))
        self._count_cost()

    def elapsed_seconds(self) -> float:
        """Return how long the call has taken so far."""
        return (self._telemetry.clock.monotonic_ns() - self._started_ns) / 1e9

    def _count_tokens(self) -> None:
        if not self._telemetry.declares(llm.TOKENS):
            return
        tokens = self.tokens
        counts = {
            "input": tokens.input - tokens.cached_input - tokens.cache_write,
            "cached_input": tokens.cached_input,
            "cache_write": tokens.cache_write,
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
    telemetry: Telemetry,
    *,
    provider: str,
    model: str,
    operation: str = "chat",
    stream: bool = False,
) -> Iterator[LlmCall]:
    """Watch a call: `with llm_call(telemetry, provider="openai", model=m) as call:`.

    `stream` says that the answer was asked for piece by piece, which the span tells even of a call
    that never got a first one.

    An exception that leaves the block is an outcome too (`outcome_of`), unless `call.outcome` was
    told. Then `call.duration_seconds` is set as well.
    """
    call = begin_call(telemetry, provider=provider, model=model, operation=operation, stream=stream)
    failed: BaseException | None = None
    try:
        with call.current():
            yield call
    except BaseException as error:
        failed = error
        raise
    finally:
        call.finish(failed)


def begin_call(
    telemetry: Telemetry,
    *,
    provider: str,
    model: str,
    operation: str = "chat",
    stream: bool = False,
) -> LlmCall:
    """Begin a call that `finish` ends, wherever that is; its span is not the current one."""
    span: trace.Span = trace.INVALID_SPAN
    if telemetry.declares(llm.CALL_SPAN):
        attributes = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
        }
        span = telemetry.start_span(llm.CALL_SPAN, **attributes)
    if stream:
        span.set_attribute(STREAM, True)
    return LlmCall(telemetry, provider, model, span)


def outcome_of(error: BaseException) -> str:
    """Return which of conventions.llm.OUTCOME's values an exception is, of any vendor's SDK."""
    for kind in type(error).__mro__:
        outcome = _OUTCOMES.get(kind.__name__)
        if outcome:
            return outcome
    return "error"


def _where_given(name: str, value: AttributeValue) -> dict[str, AttributeValue]:
    return {name: value} if value else {}
