"""What the page about instrumentation shows is run, and what it names is there."""

import pkgutil
import re
from pathlib import Path

import httpx2
import pytest

from watchkeeper.conventions import telemetry

PAGE = (Path(__file__).parents[2] / "docs/instrumentation.md").read_text("utf-8")


@pytest.fixture(scope="module")
def shown():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    names: dict[str, object] = {}
    # Functions of a later block are called by an earlier one, once all are there.
    order = [blocks[0], blocks[2], blocks[1], blocks[3]]
    for block in order:
        exec(compile(block, "instrumentation.md", "exec"), names)
    yield names
    names["watch"].stop()


@pytest.mark.anyio
async def test_the_shop_of_the_page_emits_what_it_says(shown):
    app, watch = shown["app"], shown["watch"]
    lines = []
    watch.pipeline.observers.append(lambda spans, logs: lines.extend((*spans, *logs)))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://shop") as client,
    ):
        assert (await client.post("/orders/17")).json() == {"status": "paid"}
        exposition = (await client.get("/metrics")).text
    assert 'orders_total{outcome="paid"} 1' in exposition
    assert 'orders_total{outcome="declined"} 0' in exposition
    assert "open_baskets 3" in exposition
    assert "payment_duration_seconds_count 1" in exposition
    assert 'endpoint="/orders/{order_id}"' in exposition
    shipped = next(line for line in lines if getattr(line, "message", "") == "Order shipped")
    assert shipped.attributes["address"] == "[declared]"
    spans = [line.name for line in lines if hasattr(line, "kind")]
    assert {"pricing", "POST /orders/{order_id}", "background ship"} <= set(spans)


def test_the_test_of_the_page_passes(shown):
    shown["test_a_price_is_worked_out_in_a_span"]()


def test_what_the_page_names_is_there():
    for name in re.findall(r"`(watchkeeper\.[a-z_.]+\w+)`", PAGE):
        assert pkgutil.resolve_name(name) is not None
    own = {metric.name for metric in telemetry.SIGNALS.metrics}
    named = set(re.findall(r"`(telemetry_\w+)`", PAGE))
    assert named
    assert named <= own
