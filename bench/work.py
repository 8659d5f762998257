"""A request that does something: ten log lines, three SQL statements, one call of a model.

None of it is done; what is measured is what it costs to tell of it, in the words of each assembly:
a span with the attributes of the convention for every statement and call, tokens, cost and length
of the call as metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LINES = 10
STATEMENTS = 3
PROVIDER = "anthropic"
MODEL = "claude"
QUERY = "SELECT id, title FROM jobs WHERE id = $1"
OF_STATEMENT = {
    "db.system.name": "postgresql",
    "db.query.text": QUERY,
    "db.operation.name": "SELECT",
    "server.address": "127.0.0.1",
}
OF_CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": PROVIDER,
    "gen_ai.request.model": MODEL,
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 350,
}
TOKENS = {"input": 1200, "output": 350}

Work = Callable[[], None]


def traced_work(tracer: Any, log: Callable[[str, int], None], metrics: Callable[[], None]) -> Work:
    """Tell of the work by a tracer of OpenTelemetry's API, `log(event, step)` and `metrics()`."""
    from opentelemetry.trace import SpanKind

    def work() -> None:
        for step in range(LINES):
            log("step done", step)
        for _ in range(STATEMENTS):
            with tracer.start_as_current_span("SELECT jobs", kind=SpanKind.CLIENT) as span:
                span.set_attributes(OF_STATEMENT)
        with tracer.start_as_current_span(f"chat {MODEL}", kind=SpanKind.CLIENT) as span:
            span.set_attributes(OF_CALL)
            metrics()

    return work


def client_metrics(registry: Any, *, cached: bool) -> Callable[[], None]:
    """Tell of a call by prometheus_client; `cached` keeps the children of the labels."""
    from prometheus_client import Counter, Histogram

    names = ["provider", "model"]
    tokens = Counter("llm_tokens", "t", [*names, "type"], registry=registry)
    cost = Counter("llm_cost_usd", "c", names, registry=registry)
    duration = Histogram("llm_request_duration_seconds", "d", names, registry=registry)
    if not cached:

        def look_up() -> None:
            for kind, count in TOKENS.items():
                tokens.labels(PROVIDER, MODEL, kind).inc(count)
            cost.labels(PROVIDER, MODEL).inc(0.01)
            duration.labels(PROVIDER, MODEL).observe(1.5)

        return look_up
    by_kind = {kind: tokens.labels(PROVIDER, MODEL, kind) for kind in TOKENS}
    of_cost, of_duration = cost.labels(PROVIDER, MODEL), duration.labels(PROVIDER, MODEL)

    def use() -> None:
        for kind, count in TOKENS.items():
            by_kind[kind].inc(count)
        of_cost.inc(0.01)
        of_duration.observe(1.5)

    return use


def watchkeeper_metrics(live: Any) -> Callable[[], None]:
    """Tell of a call by the instruments of the contract, labels looked up each time."""
    from watchkeeper.conventions import llm

    tokens = live.counter(llm.TOKENS)
    cost = live.counter(llm.COST)
    duration = live.histogram(llm.REQUEST_DURATION)

    def record() -> None:
        for kind, count in TOKENS.items():
            tokens.inc(count, provider=PROVIDER, model=MODEL, type=kind)
        cost.inc(0.01, provider=PROVIDER, model=MODEL)
        duration.observe(1.5, provider=PROVIDER, model=MODEL)

    return record
