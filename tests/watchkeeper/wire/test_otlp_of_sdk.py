"""What OpenTelemetry's own SDK sends is read."""

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from watchkeeper.model import SpanKind, StatusCode
from watchkeeper.wire import otlp

RESOURCE = Resource({"service.name": "shop", "service.instance.id": "one"})


def test_spans_of_the_sdk_are_read():
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    try:
        with (
            tracer.start_as_current_span("outer", attributes={"parts": [1, 2]}),
            tracer.start_as_current_span("inner"),
        ):
            raise OSError("gone")
    except OSError:
        pass
    body = encode_spans(exporter.get_finished_spans()).SerializeToString()
    inner, outer = otlp.decode_spans(body)
    assert inner.trace_id == outer.trace_id
    assert inner.parent_span_id == outer.span_id
    assert outer.parent_span_id == ""
    assert (inner.service, inner.scope.name, inner.kind) == ("shop", "tests", SpanKind.INTERNAL)
    assert inner.status is StatusCode.ERROR
    assert inner.events[0].attributes["exception.type"] == "OSError"
    assert outer.attributes == {"parts": (1, 2)}
    assert inner.resource["service.instance.id"] == "one"


def test_metrics_of_the_sdk_are_read():
    reader = InMemoryMetricReader()
    meter = MeterProvider(metric_readers=[reader], resource=RESOURCE).get_meter("tests")
    meter.create_counter("sold.items", unit="{item}").add(3, {"kind": "book"})
    meter.create_up_down_counter("open").add(-2)
    meter.create_histogram("wait", unit="ms").record(7)
    body = encode_metrics(reader.get_metrics_data()).SerializeToString()
    found = otlp.decode_metrics(body)
    rows = {
        (series["__name__"], series.get("le", "")): value
        for series, value in zip(map(dict, found.labels), found.values, strict=True)
    }
    assert rows["sold_items_total", ""] == 3.0
    assert rows["open", ""] == -2.0
    assert rows["wait_milliseconds_bucket", "5.0"] == 0.0
    assert rows["wait_milliseconds_bucket", "10.0"] == 1.0
    assert rows["wait_milliseconds_count", ""] == 1.0
    assert found.rejected_points == 0
    assert dict(found.labels[0])["job"] == "shop"
