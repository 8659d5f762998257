"""What arrives over the wire: expositions, OTLP, remote write and read, bulk, log lines."""

from __future__ import annotations

import cramjam
import orjson
from target import Target

from watchkeeper.ingest import otlp_columns
from watchkeeper.ingest.compression import decompress
from watchkeeper.ingest.snappy import open_block
from watchkeeper.ingest.tail import read_line
from watchkeeper.model import (
    Exemplar,
    LogRecord,
    MetricType,
    Scope,
    Severity,
    SpanEvent,
    SpanKind,
    SpanLink,
    SpanRecord,
)
from watchkeeper.storage import log_rows, span_rows
from watchkeeper.wire import attribute_text, exposition, otlp
from watchkeeper.wire.bulk import read_bulk
from watchkeeper.wire.family import FamilySample, MetricFamily
from watchkeeper.wire.limits import AttributeLimits
from watchkeeper.wire.log_document import read_document
from watchkeeper.wire.log_documents import FEWEST_OF_A_KIND, read_documents
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, delimited, pack_double, tag, varint
from watchkeeper.wire.protobuf_parse import HistogramChoice
from watchkeeper.wire.remote_read import decode_queries
from watchkeeper.wire.remote_write import RemoteWriteDecoder, Version
from watchkeeper.wire.series import SeriesCache

NOW_NS = 1_700_000_000_000_000_000
TIGHT = AttributeLimits(count=3, value_length=20)
WORDS = (
    *("# TYPE", "# HELP", "# UNIT", "# EOF", "counter", "gauge", "histogram", "summary"),
    *("_total", "_bucket", "_count", "_sum", "_created", '{le="', "+Inf", "NaN", "1e308"),
)
TEXT = b'# HELP a What.\n# TYPE a counter\na_total{x="1",y="\\n"} 1 1700000000000\n{"u.v"} NaN\n'
STRICT = (
    b'# TYPE wait histogram\n# UNIT wait seconds\nwait_bucket{le="1.0"} 1 # {id="x"} 0.5 1.5\n'
    b'wait_bucket{le="+Inf"} 2\nwait_count 2\nwait_sum 3\n# EOF\n'
)
FAMILY = MetricFamily(
    "hits",
    MetricType.COUNTER,
    "What.",
    samples=(FamilySample("_total", (("a", "b"),), 1.0, Exemplar((("id", "x"),), 1.0, 5), 3.0),),
)
SPANS = otlp.encode_spans(
    [
        SpanRecord(
            *("ab" * 16, "cd" * 8, parent, "GET /", SpanKind.SERVER, NOW_NS, NOW_NS + 5, "shop"),
            attributes={"a": "b", "n": 7, "f": 0.5, "yes": True, "many": ("x", "y")},
            events=(SpanEvent("e", NOW_NS, {"a": 1}),),
            links=(SpanLink("ef" * 16, "01" * 8, {}),),
            resource={"host.name": "h"},
            scope=Scope("s"),
        )
        for parent in ("", "12" * 8)
    ]
)
LOGS = otlp.encode_logs(
    [LogRecord(NOW_NS, Severity.ERROR, "sold out", "shop", "orders", "ab" * 16, "cd" * 8, {"a": 1})]
)


def field(number: int, content: bytes) -> bytes:
    return delimited(tag(number, LENGTH), content)


def number(at: int, value: int) -> bytes:
    return tag(at, VARINT) + varint(value)


def double(at: int, value: float) -> bytes:
    return tag(at, FIXED64) + pack_double(value)


def point(kind: int, content: bytes) -> bytes:
    """Return an OTLP request with one point of one metric."""
    metric = field(1, b"wait.time") + field(3, b"s") + field(kind, field(1, content) + number(2, 2))
    return field(1, field(2, field(2, metric)))


EXPONENTIAL = point(
    10,
    tag(3, FIXED64)
    + NOW_NS.to_bytes(8, "little")
    + tag(4, FIXED64)
    + (3).to_bytes(8, "little")
    + number(6, 4)
    + field(8, number(1, 2) + field(2, b"\x01\x02")),
)
COUNT = point(7, double(4, 1.5) + field(7, field(1, b"a") + field(2, field(1, b"b"))))
CLASSIC = point(9, field(6, (1).to_bytes(8, "little") * 2) + field(7, pack_double(1.0)))
BUCKETS = field(12, number(1, 2) + number(2, 2)) + field(13, b"\x02\x02")
NATIVE = number(1, 3) + number(5, 4) + double(2, 1.0) + double(6, 0.1) + BUCKETS
PROTOBUF = field(1, b"wait") + number(3, 4) + field(4, field(7, NATIVE) + number(6, 5))
LABEL = field(1, field(1, b"__name__") + field(2, b"up"))
SAMPLE = field(2, double(1, 1.0) + number(2, NOW_NS // 1_000_000))
HISTOGRAM = number(1, 3) + number(4, 2) + field(11, number(2, 2)) + field(12, b"\x02\x02")
WRITE_1 = field(1, LABEL + SAMPLE + field(4, HISTOGRAM + number(15, 5)))
WRITE_2 = b"".join(field(4, text) for text in (b"", b"__name__", b"up")) + field(
    5, field(1, b"\x01\x02") + SAMPLE + field(3, HISTOGRAM) + field(5, number(1, 1))
)
DOCUMENT = {"@timestamp": "2026-01-02T03:04:05.6Z", "log": {"level": "warn"}, "message": "m"}


def twice(content_type: str) -> object:
    """Return what reads a body as the first and as a later one of a target."""

    def read(body: bytes) -> None:
        series, choice = SeriesCache(), HistogramChoice(classic_too=True)
        found = exposition.parse(body, content_type, 5, series, choice)
        for _ in range(2):
            again = exposition.parse(body, content_type, 5, series, choice)
            assert (again.labels, again.received) == (found.labels, found.received)
            assert repr(again.values) == repr(found.values)

    return read


def read_columns(body: bytes) -> None:
    """Whatever is read as columns is what is read record by record."""
    for read, decode, columns in (
        (otlp_columns.spans, otlp.decode_spans, span_rows.columns),
        (otlp_columns.logs, otlp.decode_logs, log_rows.columns),
    ):
        found = read(body, AttributeLimits())
        if found is not None:
            assert attributes_read(columns(found)) == attributes_read(columns(decode(body)))


def attributes_read(columns: dict[str, list[object]]) -> dict[str, list[object]]:
    """Return columns with attributes as they are read back: there are two texts for none."""
    texts = {name: columns[name] for name in ("attributes", "resource")}
    return columns | {name: list(map(attribute_text.decode, text)) for name, text in texts.items()}


def read_spans(body: bytes) -> None:
    spans = otlp.decode_spans(body)
    assert otlp.decode_spans(otlp.encode_spans(spans)) == otlp.decode_spans(body)
    otlp.read_spans(body, otlp.PROTOBUF_CONTENT_TYPE, TIGHT)


def read_metrics(body: bytes) -> None:
    found = otlp.decode_metrics(body)
    assert len(found.labels) == len(found.values) == len(found.timestamps_ms)


def read_json(body: bytes) -> None:
    for decode in (otlp.decode_spans, otlp.decode_logs, otlp.decode_metrics):
        decode(body, otlp.JSON_CONTENT_TYPE)


def read_written(body: bytes) -> None:
    version = Version.V1 if body[:1] == b"\x0a" else Version.V2
    decoder = RemoteWriteDecoder()
    first = decoder.decode(body, version)
    assert repr(decoder.decode(body, version)) == repr(first)


def read_bulk_documents(body: bytes) -> None:
    documents = [item.document for item in read_bulk(body, "shop") if item.document is not None]
    # As often as it takes for them to be read together.
    many = documents * FEWEST_OF_A_KIND
    columns = read_documents(many, now_ns=NOW_NS, service="shop", most_attributes=100)
    records = [read_document(each, now_ns=NOW_NS, service="shop") for each in documents]
    if columns is not None:
        assert columns.message[: len(records)] == [record.message for record in records]
        assert columns.timestamp_ns[: len(records)] == [record.timestamp_ns for record in records]


def read_lines(body: bytes) -> None:
    for line in body.split(b"\n"):
        read_line(line, "/var/log/shop.log", now_ns=NOW_NS, service="shop")


def open_bodies(body: bytes) -> None:
    for encoding in ("gzip", "zstd", ""):
        decompress(body[1:], encoding if body[:1] > b"@" else "gzip", 10_000)
    open_block(body, 10_000)


def json_of(key: str, scopes: str, records: str, record: object) -> bytes:
    return orjson.dumps({key: [{scopes: [{records: [record]}]}]})


TARGETS = (
    Target("exposition_text", twice("text/plain"), (TEXT, exposition.encode_text([FAMILY])), WORDS),
    Target(
        "exposition_openmetrics",
        twice(exposition.OPENMETRICS_CONTENT_TYPE),
        (STRICT, b"a 1 1e308\n# EOF\n", exposition.encode_openmetrics([FAMILY])),
        WORDS,
    ),
    Target(
        "exposition_protobuf",
        twice(exposition.PROTOBUF_MEDIA_TYPE),
        (varint(len(PROTOBUF)) + PROTOBUF,),
    ),
    Target("otlp_spans", read_spans, (SPANS,)),
    Target("otlp_logs", otlp.decode_logs, (LOGS,)),
    Target("otlp_columns", read_columns, (SPANS * 8, LOGS * 16)),
    Target("otlp_metrics", read_metrics, (EXPONENTIAL, COUNT, CLASSIC)),
    Target(
        "otlp_json",
        read_json,
        (
            json_of("resourceSpans", "scopeSpans", "spans", {"traceId": "ab" * 16, "kind": 2}),
            json_of("resourceLogs", "scopeLogs", "logRecords", {"body": {"stringValue": "x"}}),
            json_of("resourceMetrics", "scopeMetrics", "metrics", {"name": "x", "gauge": {}}),
        ),
        ("exponentialHistogram", "dataPoints", "asInt", "bucketCounts", "kvlistValue"),
    ),
    Target("remote_write", read_written, (WRITE_1, WRITE_2)),
    Target("remote_read", decode_queries, (field(1, number(1, 5) + field(3, field(2, b"a"))),)),
    Target(
        "bulk",
        read_bulk_documents,
        (b'{"create":{}}\n' + orjson.dumps(DOCUMENT) + b'\n{"delete":{"_id":"1"}}\n',),
        ('{"index":{"_index":"a"}}', '{"update":{}}', "@timestamp", "trace.id"),
    ),
    Target("log_lines", read_lines, (orjson.dumps(DOCUMENT) + b"\nplain text\n",)),
    Target("compressed", open_bodies, (bytes(cramjam.snappy.compress_raw(b"x" * 50)), b"\x1f\x8b")),
)
