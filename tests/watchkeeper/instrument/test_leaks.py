"""Personal data and secrets go in by every way there is; everything that left is searched."""

from __future__ import annotations

import gzip
import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from watchkeeper import Settings, Telemetry
from watchkeeper.conventions import telemetry as own
from watchkeeper.instrument.middleware import RequestMiddleware

from .collector import Collector

pytestmark = pytest.mark.anyio

SECRETS = {
    "email": "jane.doe@example.org",
    "phone": "+49 170 1234567",
    "address": "221 Baker Street",
    "national_id": "123-45-6789",
    "card": "4111 1111 1111 1111",
    "token": "sk-live0123456789abcdefghij",
    "password": "hunter2hunter2",
}
"""A text of each kind, by kind."""

TOLD = (
    f"{SECRETS['email']}, {SECRETS['phone']}, {SECRETS['address']}, id {SECRETS['national_id']}, "
    f"card {SECRETS['card']}, {SECRETS['token']}, password={SECRETS['password']}, "
    "Authorization: Bearer abc.def-ghi_jkl.mno"
)
NEVER = (*SECRETS.values(), "abc.def-ghi_jkl.mno", "My whole life as a text")
FORMATS = ("", "application/openmetrics-text", "application/vnd.google.protobuf")
KEPT = (
    "9f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "job-20261129-000017",
    "v1.42.0-rc.1",
    "1767225600123456789",
    "3.14159",
    "10.0.0.17",
)
"""A UUID, a trace id, a job id, a version, a time, a figure, an address of a machine."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    yield server
    server.close()


async def app(scope: Any, receive: Any, send: Any) -> None:
    raise ValueError(f"cannot read {TOLD}")


async def tell_everything(telemetry: Telemetry, door: SimpleNamespace) -> None:
    kept = " ".join(KEPT)
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/find/{TOLD}",
        "headers": [(b"user-agent", TOLD.encode()), (b"authorization", b"Bearer hunter2hunter2")],
        "client": (SECRETS["email"], 1),
        "query_string": TOLD.encode(),
    }
    with suppress(ValueError):
        await RequestMiddleware(app, telemetry)(scope, app, app)
    with suppress(OSError), telemetry.span(door.work, name=TOLD, note=TOLD, kept=kept) as span:
        span.set_attribute("http.request.header.authorization", "hunter2hunter2")
        span.set_attribute(
            "url.full", f"https://u:{SECRETS['password']}@host/?token=hunter2hunter2"
        )
        span.add_event(TOLD, {"note": TOLD, "list": [TOLD]})
        span.set_status(door.error, TOLD)
        logging.getLogger(TOLD).warning("%s", TOLD, extra={"note": TOLD, "kept": kept})
        structlog.get_logger().error(TOLD, user={"email": SECRETS["email"], "text": [TOLD]})
        logging.getLogger("x").warning({"event": TOLD, "password": SECRETS["password"]})
        telemetry.log(door.started, job_id="7", resume_text="My whole life as a text")
        telemetry.counter(door.visits).inc(page=TOLD)
        telemetry.gauge(door.open).set(1)
        try:
            raise KeyError(TOLD)
        except KeyError as cause:
            logging.getLogger("x").exception("while %s", TOLD)
            raise OSError(TOLD) from cause


def files_below(directory: Path) -> dict[str, bytes]:
    """Return what is in the files, unpacked, by name."""
    found = {}
    for path in directory.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            packed = content.startswith(b"\x1f\x8b")
            name = str(path.relative_to(directory))
            found[name] = gzip.decompress(content) if packed else content
    return found


def searched(what_left: dict[str, bytes]) -> None:
    for place, content in what_left.items():
        for secret in NEVER:
            assert secret.encode() not in content, f"{secret} left by {place}"


async def test_nothing_leaves_by_any_way(
    collector: Collector,
    door: SimpleNamespace,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from opentelemetry.trace import StatusCode

    door.error = StatusCode.ERROR
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        ways = {
            "stdout": Settings(otlp_endpoint=collector.url),
            "file": Settings(
                otlp_endpoint=away,
                log=str(tmp_path / "log" / "lines.jsonl"),
                spool_directory=str(tmp_path / "spool"),
                process_directory=str(tmp_path / "values"),
                shutdown_timeout_seconds=0.2,
            ),
        }
        what_left: dict[str, bytes] = {}
        for way, settings in ways.items():
            telemetry = Telemetry(door.contract, settings)
            with telemetry:
                await tell_everything(telemetry, door)
                for accept in (
                    "",
                    "application/openmetrics-text",
                    "application/vnd.google.protobuf",
                ):
                    what_left[f"/metrics {way} {accept}"] = telemetry.exposition(accept)[0]
            removed = telemetry.registry.find(own.REDACTED)
            assert removed is not None
            counted = {values[0] for values, series in removed.series.items() if series.cells[0]}
            assert counted >= {*SECRETS, "declared"}
    what_left |= {f"OTLP {path}": body for path, body in collector.requests}
    what_left["stdout"] = capfd.readouterr().out.encode()
    what_left |= files_below(tmp_path)
    spooled = [content for place, content in what_left.items() if place.startswith("spool/")]
    assert {path for path, _ in collector.requests} == {"/v1/traces", "/v1/logs"}
    searched(what_left)
    lines = what_left["log/lines.jsonl"]
    for place in (what_left["stdout"], lines, what_left["OTLP /v1/traces"], b"".join(spooled)):
        assert place.count(b"[email]") >= 5
        for kept in KEPT:
            assert kept.encode() in place


@pytest.mark.parametrize("kind", SECRETS)
def test_each_kind_is_taken_out_of_each_signal(kind: str, door: SimpleNamespace) -> None:
    from watchkeeper.testing import capture

    secret = SECRETS[kind] if kind != "password" else f"password={SECRETS[kind]}"
    with capture(door.contract) as seen:
        with seen.telemetry.span(door.work, note=f"it was {secret}."):
            logging.getLogger("x").info("it was %s.", secret)
            seen.telemetry.counter(door.visits).inc(page=f"it was {secret}.")
        told = (
            str(seen.span("work").attributes["note"]),
            seen.logs[0].message,
            seen.telemetry.exposition()[0].decode(),
        )
        for text in told:
            assert f"[{kind}]" in text
            assert SECRETS[kind] not in text
        assert seen.value(own.REDACTED, kind=kind) >= 2
