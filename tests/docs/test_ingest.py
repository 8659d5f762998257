"""What docs/ingest.md shows works: its files load, its programs send, its addresses are ours."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
import yaml

from watchkeeper.backend import Backend, Places
from watchkeeper.clock import SystemClock
from watchkeeper.ingest import load_config, load_limits
from watchkeeper.ingest.config import GlobalConfig, ScrapeConfig
from watchkeeper.ingest.limits import SharedLimits, TenantLimits
from watchkeeper.ports import LogQuery
from watchkeeper.server.access import Access
from watchkeeper.server.application import Application

DOCUMENT = (Path(__file__).parents[2] / "docs/ingest.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
SHIPPED_SECONDS = 30.0
BULK = "http://127.0.0.1:9400/elasticsearch"


def block(name: str) -> str:
    """Return the block whose first line names a file."""
    return next(text for _, text in BLOCKS if text.startswith(f"# {name}\n"))


def test_its_prometheus_yml_is_read(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(block("prometheus.yml"))
    (job,) = load_config(tmp_path / "prometheus.yml").scrape_configs
    assert job.http_sd_configs[0].url == "http://inventory/targets"


def test_its_tables_name_every_key_of_a_job() -> None:
    known = {*ScrapeConfig.__struct_fields__, *GlobalConfig.__struct_fields__}
    own = {"job_name", "scrape_interval", "scrape_timeout", "evaluation_interval"}
    named = set(re.findall(r"`?\b([a-z_0-9]+)\b`?", DOCUMENT))
    assert known - own - named == set()


def test_its_limits_are_read_and_are_all_there_are_with_their_defaults(tmp_path: Path) -> None:
    (tmp_path / "limits.yml").write_text(block("limits.yml"))
    limits = load_limits(tmp_path / "limits.yml")
    assert limits.default == TenantLimits()
    shown = yaml.safe_load(block("limits.yml"))["default"]
    assert set(shown) == {*SharedLimits.__struct_fields__, *TenantLimits.__struct_fields__}


def test_prometheus_accepts_its_remote_write(program: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "sender.yml").write_text(block("in the prometheus.yml of the sender"))
    command = [program("promtool"), "check", "config", str(tmp_path / "sender.yml")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_shipper_is_shown_our_address() -> None:
    assert yaml.safe_load(block("filebeat.yml"))["output.elasticsearch"]["hosts"] == [BULK]
    vector = tomllib.loads(block("vector.toml"))["sinks"]["watchkeeper"]
    assert vector["endpoints"] == [BULK]
    assert f'hosts => ["{BULK}"]' in block("logstash.conf")
    fluent_bit = dict(re.findall(r"(\w+) +(\S+)", block("fluent-bit.conf")))
    host, port, path = (fluent_bit[key] for key in ("Host", "Port", "Path"))
    assert f"http://{host}:{port}{path}" == BULK


def test_rsyslog_sends_what_a_file_holds(
    program: Callable[[str], str], backend: Backend, address: str, tmp_path: Path
) -> None:
    (tmp_path / "shop.log").write_text("".join(f"sold {number}\n" for number in range(50)))
    given = block("rsyslog.conf").replace("http://127.0.0.1:9400", address)
    tailed = f'input(type="imfile" File="{tmp_path / "shop.log"}" Tag="shop")'
    (tmp_path / "rsyslog.conf").write_text(
        f'global(workDirectory="{tmp_path}")\nmodule(load="imfile")\n{given}\n{tailed}\n'
    )
    command = [program("rsyslogd"), "-n", "-f", "rsyslog.conf", "-i", "rsyslog.pid"]
    with subprocess.Popen(command, cwd=tmp_path) as shipper:
        try:
            end = time.monotonic() + SHIPPED_SECONDS
            while len(found := backend.store.logs.search(LogQuery(0, 1 << 62))) < 50:
                assert time.monotonic() < end, "nothing was shipped"
                time.sleep(0.05)
        finally:
            shipper.terminate()
    assert {record.message for record in found} == {f"sold {number}" for number in range(50)}
    assert {record.service for record in found} == {"shop"}


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    (tmp_path / "prometheus.yml").write_text("")
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: n}\nreceivers: [{name: n}]\n")
    (tmp_path / "data").mkdir()
    files = {"prometheus": "prometheus.yml", "alertmanager": "alertmanager.yml", "data": "data"}
    places = Places(**{name: tmp_path / file for name, file in files.items()})
    backend = Backend.open(places, clock=SystemClock())
    yield backend
    backend.store.close()


@pytest.fixture
def address(backend: Backend) -> Iterator[str]:
    application = Application(backend, access=Access(), clock=SystemClock())
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()
    application.close()


def test_its_python_sends_a_span_and_a_log_record(backend: Backend, address: str) -> None:
    for kind, text in BLOCKS:
        if kind == "python":
            exec(compile(text, "docs/ingest.md", "exec"), {"BACKEND": address})
    assert backend.store.spans.services() == ["shop"]
    (record,) = backend.store.logs.search(LogQuery(0, 1 << 62))
    assert (record.message, record.severity.name, record.service) == ("sold out", "WARNING", "shop")
