"""What leaves over OTLP is what the official schema says, and nothing is lost in silence."""

from __future__ import annotations

import dataclasses
import logging
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from watchkeeper import Settings, Telemetry
from watchkeeper.conventions import telemetry as own
from watchkeeper.instrument.destination import Destination
from watchkeeper.instrument.export import Batch, Exporter, Origin
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.otlp_client import Delivery, OtlpClient, compress, rejected_records
from watchkeeper.model import SpanKind, SpanRecord
from watchkeeper.testing import FakeClock
from watchkeeper.wire.otlp_encode import encode_span

from .collector import Collector

SOON_SECONDS = 0.9
"""Less than the wait before a second try: whoever is away is tried once."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    yield server
    server.close()


def sending_to(url: str) -> Settings:
    return Settings(
        otlp_endpoint=url,
        otlp_headers={"x-tenant": "door"},
        log="off",
        export_interval_seconds=0.01,
        pump_interval_seconds=0.01,
        shutdown_timeout_seconds=60,
        loud=True,
    )


def test_spans_and_lines_arrive_as_the_official_schema_reads_them(
    collector: Collector, door: SimpleNamespace
) -> None:
    telemetry = Telemetry(door.contract, sending_to(collector.url))
    attributes = {"job.id": "42", "pages": 3, "ratio": 0.5}
    with telemetry, telemetry.span(door.work, **attributes) as span:
        span.add_event("half way")
        logging.getLogger("orders").info("hello", extra={"shelf": "B4"})
        trace_id = telemetry.trace_id()
    bodies = dict(collector.requests)
    traces = ExportTraceServiceRequest.FromString(bodies["/v1/traces"])
    [resource_spans] = traces.resource_spans
    resource = {a.key: a.value.string_value for a in resource_spans.resource.attributes}
    assert resource["service.name"] == "door-keeper"
    assert resource["service.version"] == "1.2.3"
    [sent] = resource_spans.scope_spans[0].spans
    assert sent.trace_id.hex() == trace_id
    assert sent.name == "work"
    assert sent.events[0].name == "half way"
    values = {a.key: a.value for a in sent.attributes}
    assert values["job.id"].string_value == "42"
    assert values["pages"].int_value == 3
    assert values["ratio"].double_value == 0.5
    logs = ExportLogsServiceRequest.FromString(bodies["/v1/logs"])
    [line] = logs.resource_logs[0].scope_logs[0].log_records
    assert line.body.string_value == "hello"
    assert line.trace_id.hex() == trace_id
    assert collector.headers[0]["x-tenant"] == "door"
    assert collector.headers[0]["content-type"] == "application/x-protobuf"
    exported = telemetry.registry.find(own.EXPORTED)
    assert exported is not None
    assert sum(series.cells[0] for series in exported.series.values()) == 2


def test_what_waits_is_delivered_when_asked_for(
    collector: Collector, door: SimpleNamespace
) -> None:
    settings = dataclasses.replace(sending_to(collector.url), export_interval_seconds=3600)
    with Telemetry(door.contract, settings) as telemetry:
        for _ in range(2):
            with telemetry.span(door.work):
                pass
            assert telemetry.deliver(timeout_seconds=30)
        paths = [path for path, _ in collector.requests]
        assert paths == ["/v1/traces"] * 2
        collector.statuses = [503] * 100
        with telemetry.span(door.work):
            pass
        assert not telemetry.deliver(timeout_seconds=0.01)
        collector.statuses = []


def test_without_a_collector_nothing_is_left_to_deliver(door: SimpleNamespace) -> None:
    with Telemetry(door.contract, Settings(log="off")) as telemetry, telemetry.span(door.work):
        assert telemetry.deliver()


@pytest.mark.parametrize(("compression", "encodings"), [("", {None}), ("gzip", {"gzip"})])
def test_what_stays_on_the_machine_is_compressed_only_if_asked(
    collector: Collector, door: SimpleNamespace, compression: str, encodings: set[str | None]
) -> None:
    settings = dataclasses.replace(sending_to(collector.url), compression=compression)
    with Telemetry(door.contract, settings) as telemetry, telemetry.span(door.work):
        pass
    assert {headers.get("content-encoding") for headers in collector.headers} == encodings


def test_what_has_to_wait_is_compressed(collector: Collector, door: SimpleNamespace) -> None:
    collector.statuses = [429]
    with Telemetry(door.contract, sending_to(collector.url)) as telemetry:
        with telemetry.span(door.work):
            pass
        collector.wait_for(lambda: bool(collector.requests))
    encodings = [headers.get("content-encoding") for headers in collector.headers]
    assert encodings[:2] == [None, "gzip"]
    _, body = collector.requests[0]
    assert ExportTraceServiceRequest.FromString(body).resource_spans


def test_a_busy_collector_is_asked_again_when_it_says(
    collector: Collector, door: SimpleNamespace
) -> None:
    collector.statuses = [429, 429]
    with Telemetry(door.contract, sending_to(collector.url)) as telemetry:
        with telemetry.span(door.work):
            pass
        collector.wait_for(lambda: bool(collector.requests))
    assert collector.requests[0][0] == "/v1/traces"
    assert len(collector.headers) >= 3


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", 0.0),
        ("2.5", 2.5),
        ("-1", 0.0),
        ("nan", 0.0),
        ("inf", 300.0),
        ("86400", 300.0),
        ("soon", 0.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 60.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 300.0),
    ],
)
def test_a_time_that_a_collector_asks_for_is_bounded(
    collector: Collector, said: str, seconds: float
) -> None:
    collector.statuses, collector.retry_after = [429], said
    client = OtlpClient(Destination(endpoint=collector.url, timeout_seconds=5))
    delivery = client.send(b"", 40.0)
    client.close()
    assert (delivery.retryable, delivery.retry_after_seconds) == (True, seconds)


def test_waits_between_tries_double_up_to_a_limit_however_long_an_outage_lasts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter = Exporter(
        Origin("s", {}),
        Settings(otlp_endpoint="http://127.0.0.1:9"),
        FakeClock(),
        Faults(loud=True),
        lambda signal, records: None,
        lambda signal, reason, records: pytest.fail(reason),
    )
    waits: list[float] = []
    monkeypatch.setattr(exporter, "_pause", waits.append)
    batch = Batch("spans", b"body", 1, made_ns=0, sequence=1)
    for failures in (1, 2, 3, 4, 5, 100_000):
        exporter._settle(batch, Delivery(False, retryable=True), failures)
    exporter._settle(batch, Delivery(False, retryable=True, retry_after_seconds=42.0), 1)
    assert waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 42.0]


def test_what_a_collector_takes_in_part_is_counted_in_part(
    collector: Collector, door: SimpleNamespace
) -> None:
    partial = ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
    collector.answer = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    with Telemetry(door.contract, sending_to(collector.url)) as telemetry:
        for _ in range(3):
            with telemetry.span(door.work):
                pass
    text = telemetry.exposition()[0].decode()
    assert 'telemetry_exported_total{signal="spans"} 1' in text
    assert 'telemetry_dropped_total{signal="spans",reason="rejected"} 2' in text


@given(st.binary(max_size=64))
def test_an_answer_that_is_no_message_rejects_nothing(answer: bytes) -> None:
    assert rejected_records(answer) >= 0


def test_a_collector_may_ask_who_sends_and_shows_who_it_is(
    certificate: Path, door: SimpleNamespace
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    collector = Collector(context)
    known = dataclasses.replace(sending_to(collector.url), certificate=str(certificate))
    shown = dataclasses.replace(known, client_certificate=str(certificate))
    stranger = sending_to(collector.url)
    for settings in (stranger, known, shown):
        waits = 60 if settings.client_certificate else SOON_SECONDS
        settings = dataclasses.replace(settings, loud=False, shutdown_timeout_seconds=waits)
        with Telemetry(door.contract, settings) as telemetry, telemetry.span(door.work):
            pass
        arrived = [path for path, _ in collector.requests].count("/v1/traces")
        assert arrived == (1 if settings.client_certificate else 0)
    collector.close()


def test_a_login_in_the_endpoint_is_sent(collector: Collector) -> None:
    endpoint = collector.url.replace("http://", "http://jane:hunter%402@")
    client = OtlpClient(Destination(endpoint=endpoint, timeout_seconds=5))
    assert client.send(b"", 0.0).delivered
    client.close()
    assert collector.headers[0]["authorization"] == "Basic amFuZTpodW50ZXJAMg=="


def test_an_outage_is_logged_once_with_its_reason(
    door: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(
        otlp_endpoint="http://127.0.0.1:9", log="off", shutdown_timeout_seconds=SOON_SECONDS
    )
    with Telemetry(door.contract, settings) as telemetry:
        for _ in range(3):
            with telemetry.span(door.work):
                pass
    [said] = [record.getMessage() for record in caplog.records if "not delivered" in record.msg]
    assert said.startswith("spans are not delivered (ConnectionRefusedError")


def test_an_exporter_that_stumbles_goes_on(
    collector: Collector, door: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = dataclasses.replace(sending_to(collector.url), loud=False)
    with Telemetry(door.contract, settings) as telemetry:
        exporter = telemetry.pipeline._exporter
        assert exporter is not None
        settle = exporter._settle

        def stumble(*args: Any) -> None:
            monkeypatch.setattr(exporter, "_settle", settle)
            raise RuntimeError("once")

        monkeypatch.setattr(exporter, "_settle", stumble)
        for number in (1, 2):
            with telemetry.span(door.work):
                pass
            collector.wait_for(lambda number=number: len(collector.requests) >= number)
    text = telemetry.exposition()[0].decode()
    assert 'telemetry_dropped_total{signal="spans",reason="fault"} 1' in text
    assert 'telemetry_faults_total{where="export"} 1' in text


def test_what_a_collector_refuses_is_dropped_and_counted(
    collector: Collector, door: SimpleNamespace
) -> None:
    collector.statuses = [400]
    telemetry = Telemetry(door.contract, sending_to(collector.url))
    with telemetry, telemetry.span(door.work):
        pass
    text = telemetry.exposition()[0].decode()
    assert 'telemetry_dropped_total{signal="spans",reason="export_failed"} 1' in text


def test_a_collector_that_is_away_delays_the_end_no_longer_than_allowed(
    door: SimpleNamespace,
) -> None:
    settings = Settings(
        otlp_endpoint="http://127.0.0.1:9", log="off", shutdown_timeout_seconds=SOON_SECONDS
    )
    with Telemetry(door.contract, settings) as telemetry, telemetry.span(door.work):
        pass
    text = telemetry.exposition()[0].decode()
    assert 'telemetry_dropped_total{signal="spans",reason="export_failed"} 1' in text


def message(number: int) -> bytes:
    span = SpanRecord(f"{number:032x}", f"{number:016x}", "", "s", SpanKind.INTERNAL, 1, 2, "svc")
    return encode_span(span)


def test_the_buffer_is_bounded_and_the_oldest_goes_first() -> None:
    dropped: list[tuple[str, str, int]] = []
    settings = Settings(otlp_endpoint="http://127.0.0.1:9", export_buffer_bytes=200_000)
    exporter = Exporter(
        Origin("s", {}),
        settings,
        FakeClock(),
        Faults(loud=True),
        lambda signal, records: None,
        lambda signal, reason, records: dropped.append((signal, reason, records)),
    )
    exporter.deliver_in_background = False
    for start in range(0, 512 * 20, 512):
        exporter.add({"scope": [message(start + number) for number in range(512)]}, {})
    assert dropped
    assert set(dropped) == {("spans", "queue_full", 512)}
    assert exporter.waiting()["spans"] == 512 * (20 - len(dropped))


def test_a_full_queue_drops_and_counts_by_signal(door: SimpleNamespace) -> None:
    settings = Settings(queue_limit=3, background=False, log="off")
    with Telemetry(door.contract, settings) as telemetry:
        for _ in range(5):
            with telemetry.span(door.work):
                pass
        text = telemetry.exposition()[0].decode()
    assert 'telemetry_dropped_total{signal="spans",reason="queue_full"} 2' in text


def test_nothing_is_sent_without_an_endpoint(door: SimpleNamespace) -> None:
    before = set(threading.enumerate())
    with Telemetry(door.contract, Settings(log="off")) as telemetry:
        with telemetry.span(door.work):
            pass
        telemetry.flush()
        own_threads = {thread.name for thread in set(threading.enumerate()) - before}
    assert own_threads == {"watchkeeper-pump"}


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500])
def test_only_some_failures_are_worth_another_try(collector: Collector, status: int) -> None:
    collector.statuses = [status]
    client = OtlpClient(Destination(endpoint=f"{collector.url}/v1/traces", timeout_seconds=5))
    delivery = client.send(compress(b""), 0.0)
    client.close()
    assert not delivery.delivered
    assert not delivery.retryable


def test_what_a_collector_that_is_away_missed_is_delivered_after_the_next_start(
    collector: Collector, door: SimpleNamespace, tmp_path: Path
) -> None:
    away = Settings(
        otlp_endpoint="http://127.0.0.1:9",
        log="off",
        shutdown_timeout_seconds=SOON_SECONDS,
        spool_directory=str(tmp_path / "spool"),
    )
    for name in ("first", "second"):
        with Telemetry(door.contract, away) as telemetry, telemetry.span(door.work, name=name):
            pass
        text = telemetry.exposition()[0].decode()
        assert 'telemetry_dropped_total{signal="spans",reason="export_failed"} 0' in text
    back = dataclasses.replace(away, otlp_endpoint=collector.url, shutdown_timeout_seconds=60)
    with Telemetry(door.contract, back) as telemetry, telemetry.span(door.work, name="third"):
        collector.wait_for(lambda: len(collector.requests) >= 2)
    names = [
        ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0].name
        for path, body in collector.requests
        if path == "/v1/traces"
    ]
    assert names == ["first", "second", "third"]
    assert not list(tmp_path.rglob("*.otlp"))


def test_a_spool_that_cannot_be_opened_leaves_memory(door: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings = Settings(
        otlp_endpoint="http://127.0.0.1:9",
        log="off",
        shutdown_timeout_seconds=SOON_SECONDS,
        spool_directory=str(tmp_path / "file"),
    )
    with Telemetry(door.contract, settings) as telemetry, telemetry.span(door.work):
        pass
    assert telemetry.faults.seen == {"spool": 1}
    text = telemetry.exposition()[0].decode()
    assert 'telemetry_dropped_total{signal="spans",reason="export_failed"} 1' in text


@pytest.mark.parametrize("ends", ["sys.exit(0)", "raise RuntimeError", "os.kill(os.getpid(), 15)"])
def test_a_process_that_ends_without_a_word_sends_what_waits(
    ends: str, collector: Collector
) -> None:
    script = (
        "import os, signal, sys\n"
        "from watchkeeper import Contract, Settings, Signals, Span, Telemetry\n"
        "work = Span('work', 'Work.')\n"
        "contract = Contract(service='s', version='1', signals=Signals(spans=(work,)))\n"
        "telemetry = Telemetry(contract, Settings.from_environment())\n"
        "telemetry.start()\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "with telemetry.span(work):\n    pass\n" + ends
    )
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "WATCHKEEPER_LOG": "off"}
    subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert [path for path, _ in collector.requests] == ["/v1/traces"]


def test_each_signal_may_have_an_endpoint_of_its_own(
    collector: Collector, door: SimpleNamespace
) -> None:
    settings = Settings(
        log="off",
        traces=Destination(
            endpoint=f"{collector.url}/spans/here?tenant=1", headers={"x-for": "spans"}
        ),
        otlp_headers={"x-for": "all"},
    )
    with Telemetry(door.contract, settings) as telemetry, telemetry.span(door.work):
        logging.getLogger("door").info("goes nowhere")
    assert [path for path, _ in collector.requests] == ["/spans/here?tenant=1"]
    assert collector.headers[0]["x-for"] == "spans"
