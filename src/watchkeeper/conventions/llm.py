"""Calls to large language models: time, outcome, tokens and money."""

from watchkeeper.contract import Counter, Histogram, Label, Signals, Span
from watchkeeper.model import SpanKind

PROVIDER = Label("provider", limit=10)
MODEL = Label("model", limit=40)
OUTCOME = Label(
    "outcome",
    values=("success", "error", "timeout", "rate_limited", "refused", "invalid_answer"),
)

REQUEST_DURATION = Histogram(
    name="llm_request_duration_seconds",
    help="Time of an LLM call, failed ones too.",
    labels=(PROVIDER, MODEL),
    unit="seconds",
    buckets=(0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0),
)
REQUESTS = Counter(
    name="llm_requests_total",
    help="LLM calls by how they ended.",
    labels=(PROVIDER, MODEL, OUTCOME),
)
TOKENS = Counter(
    name="llm_tokens_total",
    help="Tokens used; cached and reasoning tokens are counted once, under their own type.",
    labels=(
        PROVIDER,
        MODEL,
        Label("type", values=("input", "cached_input", "output", "reasoning")),
    ),
)
COST = Counter(
    name="llm_cost_usd_total",
    help="Cost of LLM calls in US dollars, where the price is known.",
    labels=(PROVIDER, MODEL),
)
UNPRICED = Counter(
    name="llm_unpriced_requests_total",
    help="LLM calls whose price is not known: their cost is missing from llm_cost_usd_total.",
    labels=(PROVIDER, MODEL),
)
CALL_SPAN = Span(
    "llm_api_call",
    "One call to a model (OpenTelemetry's GenAI conventions).",
    SpanKind.CLIENT,
    attributes=(
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "llm.outcome",
        "llm.cost_usd",
        "error.type",
    ),
)

SIGNALS = Signals(metrics=(REQUEST_DURATION, REQUESTS, TOKENS, COST, UNPRICED), spans=(CALL_SPAN,))
