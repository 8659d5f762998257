"""What others' libraries and programs really send, taken by a real backend."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import prometheus_client
import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
    OTLPMetricExporter as GrpcMetrics,
)
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
    OTLPMetricExporter as HttpMetrics,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from resume_optimizer.devstack.ports import free_ports
from watchkeeper.model import NativeHistogram
from watchkeeper.wire.native_histogram import EXPOSITION
from watchkeeper.wire.protobuf import varint

from .wire.native_messages import field, native, number

WITHIN_SECONDS = 60.0
NATIVE = NativeHistogram(
    schema=3, count=5, sum=4.5, zero_threshold=1e-3, zero_count=2, positive={-1: 1, 2: 2}
)


class Running:
    """A started backend: its addresses, and what can be asked of it."""

    def __init__(self, directory: Path, scrape_configs: str = "[]") -> None:
        (directory / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs: {scrape_configs}\n"
        )
        (directory / "alertmanager.yml").write_text(
            "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
        )
        (directory / "dashboards").mkdir()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "watchkeeper.cli", "run"),
                *("--port", "0", "--otlp-grpc-port", "0"),
                *("--config", directory / "prometheus.yml"),
                *("--alertmanager", directory / "alertmanager.yml"),
                *("--dashboards", directory / "dashboards"),
                *("--data", directory / "data"),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.http = self.process.stdout.readline().split()[-1]
        self.grpc = self.process.stdout.readline().split()[-1]
        self.client = httpx2.Client(base_url=self.http, trust_env=False, timeout=WITHIN_SECONDS)

    def get(self, path: str, **parameters: str) -> Any:
        return self.client.get(path, params=parameters).json()

    def value(self, query: str) -> float | None:
        """Return the one value of an instant query, or None."""
        result = self.get("/prometheus/api/v1/query", query=query)["data"]["result"]
        return float(result[0]["value"][1]) if result else None

    def eventually(self, look: Callable[[], Any]) -> Any:
        """Return what `look` finds once it finds something."""
        end = time.monotonic() + WITHIN_SECONDS
        while (found := look()) in (None, [], False):
            assert time.monotonic() < end, "it did not come about in time"
            time.sleep(0.05)
        return found

    def refused(self) -> list[str]:
        """Return the counters of what was refused that are not zero."""
        text = self.client.get("/metrics").text
        lines = [line for line in text.splitlines() if line.startswith("watchkeeper_refused_total")]
        return [line for line in lines if not line.endswith(" 0")]

    def end(self) -> None:
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("senders"))
    yield running
    running.end()


def exporters(backend: Running, way: str, **of_metrics: Any) -> tuple[Any, Any, Any]:
    """Return the SDK's exporters of spans, logs and metrics for one transport."""
    if way == "grpc":
        found = {"endpoint": backend.grpc, "insecure": True}
        return GrpcSpans(**found), GrpcLogs(**found), GrpcMetrics(**found, **of_metrics)
    zipped = {"compression": Compression.Gzip}
    return (
        HttpSpans(f"{backend.http}/v1/traces", **zipped),
        HttpLogs(f"{backend.http}/v1/logs", **zipped),
        HttpMetrics(f"{backend.http}/v1/metrics", **zipped, **of_metrics),
    )


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_opentelemetrys_sdk_sends_spans_logs_and_metrics(backend: Running, way: str) -> None:
    service = f"shop-{way}"
    spans, logs, metrics = exporters(backend, way)
    resource = Resource({"service.name": service, "service.instance.id": "one"})

    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    with tracing.get_tracer("tests").start_as_current_span("buy", attributes={"books": 2}) as span:
        trace_id = f"{span.get_span_context().trace_id:032x}"
        logging_provider = LoggerProvider(resource=resource)
        logging_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
        logger = logging.Logger("orders")
        logger.addHandler(LoggingHandler(logger_provider=logging_provider))
        logger.warning("sold out", extra={"shelf": 7})

    reader = PeriodicExportingMetricReader(metrics, export_interval_millis=3_600_000)
    metering = MeterProvider(metric_readers=[reader], resource=resource)
    metering.get_meter("tests").create_counter("sold", unit="{book}").add(2)
    metering.get_meter("tests").create_histogram("wait", unit="s").record(0.2)
    metering.shutdown()
    tracing.shutdown()
    logging_provider.shutdown()

    (stored,) = backend.get(f"/api/traces/{trace_id}")["spans"]
    assert (stored["service"], stored["name"]) == (service, "buy")
    (record,) = backend.get("/api/logs", query=f'service:"{service}"')["records"]
    assert (record["message"], record["level"]) == ("sold out", "WARNING")
    assert record["trace_id"] == trace_id
    labels = f'{{job="{service}", instance="one"}}'
    assert backend.value(f"sold_total{labels}") == 2.0
    assert backend.value(f"wait_seconds_count{labels}") == 1.0
    assert backend.refused() == []


@pytest.mark.parametrize("way", ["http", "grpc"])
@pytest.mark.parametrize("temporality", ["CUMULATIVE", "DELTA"])
def test_its_exponential_histograms_become_native_ones(
    backend: Running, way: str, temporality: str
) -> None:
    job = f"exp-{way}-{temporality.lower()}"
    _, _, metrics = exporters(
        backend,
        way,
        preferred_temporality={Histogram: AggregationTemporality[temporality]},
        preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation()},
    )
    reader = PeriodicExportingMetricReader(metrics, export_interval_millis=3_600_000)
    provider = MeterProvider(metric_readers=[reader], resource=Resource({"service.name": job}))
    histogram = provider.get_meter("tests").create_histogram("wait", unit="s")
    for second in (1, 2, 3):
        histogram.record(second * 0.1)
        assert provider.force_flush()
    provider.shutdown()
    assert backend.value(f'histogram_count(wait_seconds{{job="{job}"}})') == 3.0
    assert backend.value(f'histogram_sum(wait_seconds{{job="{job}"}})') == pytest.approx(0.6)
    median = backend.value(f'histogram_quantile(0.5, wait_seconds{{job="{job}"}})')
    assert median == pytest.approx(0.2, rel=0.05)


class NativeTarget(BaseHTTPRequestHandler):
    """A service whose histogram is native, and which speaks nothing but protobuf."""

    def do_GET(self) -> None:
        metric = field(4, field(7, native(NATIVE, EXPOSITION)))
        family = field(1, b"wait_seconds") + number(3, 4) + metric
        body = varint(len(family)) + family
        self.send_response(200)
        kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"
        self.send_header("content-type", f"{kind}; encoding=delimited")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""


@pytest.fixture
def native_target() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), NativeTarget)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_prometheus_clients_page_is_scraped(tmp_path: Path) -> None:
    registry = prometheus_client.CollectorRegistry()
    counter = prometheus_client.Counter("sold", "Books sold.", ["shelf"], registry=registry)
    counter.labels("seven").inc(3, exemplar={"trace_id": "ab"})
    prometheus_client.Histogram("wait_seconds", "Waiting.", registry=registry).observe(0.2)
    page, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    address = f"127.0.0.1:{page.server_port}"
    running = Running(
        tmp_path, f"[{{job_name: shop, static_configs: [{{targets: ['{address}']}}]}}]"
    )
    try:
        labels = f'{{job="shop", instance="{address}"}}'
        assert running.eventually(lambda: running.value(f"sold_total{labels}")) == 3.0
        assert running.value(f"wait_seconds_count{labels}") == 1.0
        exemplars = running.get("/prometheus/api/v1/query_exemplars", query="sold_total")["data"]
        assert exemplars[0]["exemplars"][0]["labels"] == {"trace_id": "ab"}
        assert running.refused() == []
    finally:
        running.end()
        page.shutdown()
        thread.join()
        page.server_close()


def test_a_page_in_protobuf_is_scraped_as_a_real_prometheus_scrapes_and_writes_it(
    program: Callable[[str], str], native_target: str, tmp_path: Path
) -> None:
    """The same native histogram comes both ways: by our scrape, and by Prometheus' remote write."""
    running = Running(
        tmp_path,
        "[{job_name: scraped, scrape_native_histograms: true, "
        f"static_configs: [{{targets: ['{native_target}']}}]}}]",
    )
    sender = tmp_path / "sender.yml"
    sender.write_text(
        f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: written
    static_configs: [{{targets: ['{native_target}']}}]
remote_write:
  - url: {running.http}/prometheus/api/v1/write
    send_native_histograms: true
    queue_config: {{batch_send_deadline: 200ms}}
"""
    )
    (port,) = free_ports(1)
    prometheus = subprocess.Popen(
        [
            *(program("prometheus"), "--enable-feature=native-histograms"),
            *(f"--config.file={sender}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"),
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        found, path = {}, "/prometheus/api/v1/query"
        for job in ("scraped", "written"):
            query = f'wait_seconds{{job="{job}"}}'
            found[job] = running.eventually(
                lambda asked=query: running.get(path, query=asked)["data"]["result"]
            )[0]["histogram"][1]
        assert found["scraped"]["count"] == "5"
        assert found["scraped"] == found["written"]
        assert running.refused() == []
    finally:
        os.kill(prometheus.pid, signal.SIGKILL)
        prometheus.wait()
        running.end()
