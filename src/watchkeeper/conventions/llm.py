"""Calls to large language models: time, outcome, tokens and money."""

from dataclasses import replace

from watchkeeper.contract import (
    Alert,
    Counter,
    Histogram,
    Label,
    Panel,
    Part,
    Query,
    Row,
    Runbook,
    Signals,
    Span,
    Urgency,
)
from watchkeeper.conventions.queries import quantiles, share, slower
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
FIRST_TOKEN = Histogram(
    name="llm_time_to_first_token_seconds",
    help="Time from a streamed LLM call's start to the first piece of its answer.",
    labels=(PROVIDER, MODEL),
    unit="seconds",
    buckets=(0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96),
)
"""Only of calls that stream. The buckets are those of `gen_ai.client.operation.time_to_first_chunk`
(OpenTelemetry's GenAI conventions) from 80 ms to 41 s."""
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
        Label("type", values=("input", "cached_input", "cache_write", "output", "reasoning")),
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
        "gen_ai.request.stream",
        "gen_ai.request.max_tokens",
        "gen_ai.request.temperature",
        "gen_ai.request.top_p",
        "gen_ai.response.id",
        "gen_ai.response.model",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.reasoning.output_tokens",
        "llm.outcome",
        "llm.cost_usd",
        "llm.price_date",
        "llm.price_list",
        "error.type",
    ),
)

SIGNALS = Signals(
    metrics=(REQUEST_DURATION, FIRST_TOKEN, REQUESTS, TOKENS, COST, UNPRICED), spans=(CALL_SPAN,)
)

FAILED = f'{REQUESTS.name}{{outcome!="success"}}'
FIRST_TOKEN_PANEL = Panel(
    title="LLM time to first token",
    description="How long streamed calls to each model take to begin their answer.",
    queries=quantiles(FIRST_TOKEN.name, "model"),
    unit="s",
    width=8,
)
ROW = Row(
    "Language models",
    (
        Panel(
            title="LLM response time",
            description="How long calls to each model take.",
            queries=quantiles(REQUEST_DURATION.name, "model"),
            unit="s",
            width=8,
        ),
        Panel(
            title="LLM calls by outcome",
            description="Calls a second by how they ended.",
            queries=(Query(f"sum by (outcome) (rate({REQUESTS.name}[5m]))", "{{outcome}}"),),
            unit="reqps",
            width=8,
        ),
        Panel(
            title="LLM tokens",
            description="Tokens a second by type; cached and reasoning tokens are counted once.",
            queries=(Query(f"sum by (type) (rate({TOKENS.name}[5m]))", "{{type}}"),),
            width=8,
        ),
    ),
)


def cost_row(*by: str) -> Row:
    """Return what calls cost, by provider and model, and by each of the labels `by`."""
    splits = (("provider", "model"), *((label,) for label in by))
    width = 24 // len(splits)
    return Row(
        "Cost of language models",
        tuple(
            Panel(
                title="LLM costs" if number == 0 else f"LLM costs by {split[0].replace('_', ' ')}",
                description="US dollars an hour, at today's prices.",
                queries=(
                    Query(
                        f"sum by ({', '.join(split)}) (increase({COST.name}[1h]))",
                        " - ".join(f"{{{{{label}}}}}" for label in split),
                    ),
                ),
                unit="currencyUSD",
                width=width,
            )
            for number, split in enumerate(splits)
        ),
    )


def cost(*labels: Label) -> Counter:
    """Return the counter of cost with labels of your own beside provider and model: a tenant, a
    kind of user, a feature. `instrument.llm.charged_to` gives their values."""
    return replace(COST, labels=(*COST.labels, *labels))


def watched(
    *charged_to: Label,
    failure_ratio: float = 0.1,
    slow_seconds: float = 10.0,
    dollars_per_hour: float = 5.0,
    streams: bool = False,
) -> Part:
    """Return model calls, their cost also by the labels `charged_to`, with alerts on more
    failures than `failure_ratio`, a 95th percentile above `slow_seconds`, and an hour that costs
    more than `dollars_per_hour`; for a service that `streams`, the time to the first token too."""
    metrics = tuple(
        cost(*charged_to) if one is COST else one
        for one in SIGNALS.metrics
        if streams or one is not FIRST_TOKEN
    )
    row = replace(ROW, panels=(*ROW.panels, FIRST_TOKEN_PANEL)) if streams else ROW
    return Part(
        name="llm",
        signals=replace(SIGNALS, metrics=metrics),
        rows=(row, cost_row(*(label.name for label in charged_to))),
        alerts=(
            Alert(
                name="LLMAPIFailures",
                expression=f"{share(FAILED, REQUESTS.name)} > {failure_ratio:g}",
                for_seconds=120,
                severity=Urgency.WARNING,
                summary="LLM calls fail",
                description=(
                    "{{ $value | humanizePercentage }} of the LLM calls of the last 5 minutes"
                    " failed."
                ),
            ),
            Alert(
                name="LLMSlow",
                expression=slower(REQUEST_DURATION, slow_seconds),
                for_seconds=60,
                severity=Urgency.WARNING,
                summary="LLM calls are slow",
                description=(
                    "One LLM call in twenty takes longer than {{ $value | humanizeDuration }}."
                ),
            ),
            Alert(
                name="LLMCostHigh",
                expression=f"sum(increase({COST.name}[1h])) > {dollars_per_hour:g}",
                severity=Urgency.WARNING,
                summary="LLM calls cost more than planned",
                description=(
                    'The last hour of LLM calls cost {{ $value | printf "%.2f" }} US dollars.'
                ),
            ),
        ),
        runbooks=(
            Runbook(
                "LLMAPIFailures",
                "Too many calls to models fail.",
                (
                    "Look at *LLM calls by outcome*. `rate_limited`: too many calls for the plan.",
                    "`error`: the vendor's status page. `invalid_answer`: did the model change?",
                    "Change the model or the vendor, or serve without, if the service can.",
                ),
            ),
            Runbook(
                "LLMSlow",
                "One call to a model in twenty takes too long.",
                ("Look at *LLM response time* by model, and at the vendor's status page.",),
            ),
            Runbook(
                "LLMCostHigh",
                "The calls of the last hour cost more than planned.",
                (
                    "Look at *LLM costs* and *LLM tokens*: more calls, or longer ones?",
                    "Whose are they? Lower that limit, or choose a cheaper model.",
                ),
            ),
        ),
    )
