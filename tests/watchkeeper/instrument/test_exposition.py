"""/metrics is understood by others, and holds what the service keeps in prometheus_client."""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import prometheus_client
import pytest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    Metric,
    StateSetMetricFamily,
    UnknownMetricFamily,
)
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain_text_families

from watchkeeper.conventions import process
from watchkeeper.testing import Captured


def test_the_official_parser_reads_every_family(seen: Captured, door: SimpleNamespace) -> None:
    seen.telemetry.histogram(door.duration).observe(0.3)
    seen.telemetry.summary(door.reading).observe(2)
    seen.telemetry.gauge(door.newest).set(4)
    body, content_type = seen.telemetry.exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert families["work_duration_seconds"].type == "histogram"
    assert families["reading_seconds"].type == "summary"
    assert families["newest_version"].samples[0].value == 4
    assert families["ended"].type == "counter"


def test_plain_text_is_the_default(seen: Captured) -> None:
    body, content_type = seen.telemetry.exposition()
    assert content_type.startswith("text/plain")
    assert b"# TYPE ended_total counter" in body


def test_metrics_of_prometheus_client_stand_on_the_same_page(
    seen: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = prometheus_client.CollectorRegistry()
    monkeypatch.setattr(prometheus_client, "REGISTRY", registry)
    prometheus_client.Counter("lemons", "Lemons.", ["kind"], registry=registry).labels("big").inc(3)
    prometheus_client.Histogram("peel", "Peel.", buckets=(1, 2), registry=registry).observe(1.5)
    prometheus_client.Info("build", "Build.", registry=registry).info({"commit": "abc"})
    prometheus_client.Gauge("open_doors", "A name of ours.", registry=registry).set(99)
    body, _ = seen.telemetry.exposition("application/openmetrics-text")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    assert families["lemons"].samples[0].value == 3
    assert families["peel"].type == "histogram"
    assert families["open_doors"].samples[0].value == 0
    assert b'build_info{commit="abc"} 1' in body


class Strange:
    """A collector of everything that a page must not break over."""

    def collect(self) -> Iterator[Metric]:
        yield GaugeHistogramMetricFamily(
            "basket", "Fruit.", buckets=[("1", 2), ("+Inf", 3)], gsum_value=4
        )
        yield StateSetMetricFamily("door", "Open?", value={"open": True, "shut": False})
        yield UnknownMetricFamily("odd", "Odd.", value=5)
        yield Metric("empty", "Nothing.", "gauge")
        strange = CounterMetricFamily("größe.in-metern", "Named in UTF-8.", labels=["la.bel"])
        strange.add_metric(["x"], 7)
        yield strange
        yield GaugeMetricFamily("ended", "A name of ours, of another type.", value=1)


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text"])
def test_metrics_of_any_kind_leave_the_page_readable(
    accept: str, seen: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = prometheus_client.CollectorRegistry()
    monkeypatch.setattr(prometheus_client, "REGISTRY", registry)
    registry.register(Strange())
    text = seen.telemetry.exposition(accept)[0].decode()
    read = text_string_to_metric_families if accept else plain_text_families
    families = {family.name: family for family in read(text)}
    assert {family.type for name, family in families.items() if name.startswith("basket")} == {
        "gauge"
    }
    assert "basket_gcount 3" in text
    assert 'door{door="open"} 1' in text
    assert 'gr__e_in_metern_total{la_bel="x"} 7' in text
    assert families["ended"].type == "counter"


def test_labels_of_others_are_clean_and_what_is_one_then_adds_up(
    seen: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = prometheus_client.CollectorRegistry()
    monkeypatch.setattr(prometheus_client, "REGISTRY", registry)
    logins = prometheus_client.Counter("logins", "Logins.", ["who"], registry=registry)
    for who, times in (("jane@example.org", 2), ("joe@example.org", 3), ("anonymous", 1)):
        logins.labels(who).inc(times)
    text = seen.telemetry.exposition()[0].decode()
    assert 'logins_total{who="[email]"} 5\n' in text
    assert 'logins_total{who="anonymous"} 1\n' in text
    assert "example.org" not in text


def test_a_collector_that_raises_costs_only_its_own_metrics(
    seen: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def collect(self) -> Iterator[Metric]:
            yield GaugeMetricFamily("half", "Comes before it breaks.", value=1)
            raise RuntimeError("no")

        def describe(self) -> list[Metric]:
            return []

    registry = prometheus_client.CollectorRegistry()
    monkeypatch.setattr(prometheus_client, "REGISTRY", registry)
    registry.register(Broken())
    prometheus_client.Counter("lemons", "Lemons.", registry=registry).inc(3)
    seen.telemetry.faults.loud = False
    body, _ = seen.telemetry.exposition()
    assert b"ended_total" in body
    assert b"lemons_total 3" in body
    assert seen.telemetry.faults.seen == {"foreign_metrics": 1}


def test_the_process_is_read_from_the_system(seen: Captured) -> None:
    seen.telemetry.exposition()
    seen.clock.advance(10)
    seen.telemetry.exposition()
    assert seen.value(process.MEMORY, type="rss") > 1_000_000
    assert seen.value(process.MEMORY, type="virtual") > seen.value(process.MEMORY, type="rss")
    assert seen.value(process.THREADS) >= 1
    assert seen.value(process.OPEN_FILES) >= 3
    version = seen.telemetry.contract.version
    assert seen.value(process.INFO, version=version, environment="development") == 1
    assert seen.value(process.START_TIME) > 1_700_000_000
    assert seen.value(process.CPU) >= 0


def test_the_garbage_collector_is_read_from_python(seen: Captured) -> None:
    before = gc.get_stats()
    seen.telemetry.exposition()
    gc.collect()
    seen.telemetry.exposition()
    for generation, stats in enumerate(before):
        label = str(generation)
        more = seen.value(process.GC_COLLECTIONS, generation=label) - stats["collections"]
        assert more >= (1 if generation == 2 else 0)
        assert seen.value(process.GC_COLLECTED, generation=label) >= stats["collected"]
        assert seen.value(process.GC_UNCOLLECTABLE, generation=label) >= stats["uncollectable"]


def test_the_garbage_collector_stands_on_the_page_once(seen: Captured) -> None:
    """prometheus_client, if the service has it, counts the same."""
    text = seen.telemetry.exposition()[0].decode()
    assert text.count("# TYPE python_gc_collections_total counter") == 1


def test_promtool_finds_no_fault_in_the_page(
    seen: Captured, door: SimpleNamespace, program: Callable[[str], str]
) -> None:
    promtool = program("promtool")
    seen.telemetry.histogram(door.duration).observe(0.3)
    seen.telemetry.counter(door.visits).inc(page='a "quoted" \\ page\n')
    body, _ = seen.telemetry.exposition()
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=body, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
