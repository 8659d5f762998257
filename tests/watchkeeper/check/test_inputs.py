"""What may be given: contracts, Python code, snapshots, a server, Kubernetes objects."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from watchkeeper.check.finding import Finding
from watchkeeper.check.inputs import read_inputs
from watchkeeper.check.read_server import read_server
from watchkeeper.check.run import run
from watchkeeper.errors import ConfigError
from watchkeeper.model import MetricType

CONTRACT = """from watchkeeper.contract import (
    Alert,
    Contract,
    Counter,
    Gauge,
    Label,
    RuleGroup,
    Signals,
    Urgency,
)

ORDERS = Counter(
    name="orders_total",
    help="Orders.",
    labels=(Label("outcome", values=("paid", "declined")),),
)
# watchkeeper: allow gauge-named-total: because the dashboards of five teams use it
ACTIVE = Gauge(
    name="active_orders_total",
    help="Orders under way.",
)
ALERT = Alert(
    name="OrdersDeclined",
    expression='sum(rate(orders_total{outcome="refused"}[5m])) > 1',
    severity=Urgency.WARNING,
    summary="Orders are declined",
    description="Many.",
    runbook="docs/runbooks.md#ordersdeclined",
    for_seconds=10,
)
CONTRACT = Contract(
    service="shop",
    version="1.0.0",
    signals=Signals(metrics=(ORDERS, ACTIVE)),
    rule_groups=(RuleGroup(name="shop", rules=(ALERT,)),),
)
"""
OBJECT = """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: shop}
spec:
  groups:
    - name: shop
      rules:
        - alert: OrdersStopped
          expr: sum(rate(orders_total{outcome="refused"}[5m])) < 1
          for: 5m
          labels: {severity: warning}
          annotations: {summary: No orders, runbook_url: "https://runbooks.example/orders"}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "shop_telemetry.py").write_text(CONTRACT)
    (tmp_path / "object.yml").write_text(OBJECT)
    yield tmp_path
    sys.modules.pop("shop_telemetry", None)


def found(*targets: str, **more: object) -> list[Finding]:
    inputs = read_inputs(targets, **more)  # type: ignore[arg-type]
    return list(run(inputs.subjects, inputs.known).findings)


def test_a_fault_of_a_contract_has_the_place_of_its_declaration(folder):
    places = {one.check: str(one.place) for one in found("shop_telemetry:CONTRACT")}
    lines = CONTRACT.splitlines()
    value = next(number for number, line in enumerate(lines, 1) if "refused" in line)
    column = lines[value - 1].index("outcome=") + 1
    assert places["undeclared-label-value"] == f"shop_telemetry.py:{value}:{column}"
    patience = next(number for number, line in enumerate(lines, 1) if "for_seconds" in line)
    assert places["for-too-short"] == f"shop_telemetry.py:{patience}:5"


def test_a_comment_above_a_declaration_allows_a_finding_in_it(folder):
    assert "gauge-named-total" not in {one.check for one in found("shop_telemetry:CONTRACT")}
    without = "\n".join(line for line in CONTRACT.splitlines() if "allow" not in line)
    (folder / "shop_telemetry.py").write_text(without + "\n")
    sys.modules.pop("shop_telemetry")
    assert "gauge-named-total" in {one.check for one in found("shop_telemetry:CONTRACT")}


def test_files_are_checked_against_a_contract_and_not_the_contract_itself(folder):
    faults = found("shop_telemetry:CONTRACT", "object.yml")
    assert {one.place.file for one in faults} == {"object.yml"}
    assert "undeclared-label-value" in {one.check for one in faults}


def test_what_a_contract_records_exists_for_the_files_beside_it(folder):
    recording = CONTRACT.replace("    Alert,\n", "    Alert,\n    RecordingRule,\n").replace(
        "rules=(ALERT,)",
        'rules=(RecordingRule(name="shop:orders:rate5m", '
        'expression="sum by (outcome) (rate(orders_total[5m]))"),)',
    )
    (folder / "shop_telemetry.py").write_text(recording)
    uses = OBJECT.replace(
        'sum(rate(orders_total{outcome="refused"}[5m]))', 'shop:orders:rate5m{team="x"}'
    )
    (folder / "object.yml").write_text(uses)
    messages = [one.message for one in found("shop_telemetry:CONTRACT", "object.yml")]
    assert not [one for one in messages if "no metric is called" in one]


def test_without_anything_that_declares_metrics_every_metric_may_exist(folder):
    assert "undeclared-metric" not in {one.check for one in found("object.yml")}


def test_a_snapshot_tells_what_exists(folder):
    snapshot = folder / "shop.prom"
    snapshot.write_text("# TYPE payments_total counter\npayments_total 1\n")
    faults = found("object.yml", metrics=[snapshot])
    assert "undeclared-metric" in {one.check for one in faults}


def test_code_tells_what_exists_and_what_it_records(folder):
    (folder / "metrics.py").write_text(
        "from prometheus_client import Counter\n"
        'ORDERS = Counter("orders", "Orders", ["result"], namespace="")\n'
    )
    checks = {one.check for one in found("object.yml", "metrics.py")}
    assert {"undeclared-label", "declared-never-set"} <= checks


class Prometheus(BaseHTTPRequestHandler):
    """Answers metadata and series; anything else under another path is no Prometheus."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        data = {
            "/api/v1/metadata": {
                "orders_total": [{"type": "counter", "help": "Orders.", "unit": ""}],
                "wait_seconds": [{"type": "histogram", "help": "Wait.", "unit": "seconds"}],
            },
            "/api/v1/series": [
                {"__name__": "orders_total", "outcome": "paid", "job": "shop", "instance": "a"},
                {"__name__": "wait_seconds_bucket", "le": "0.5", "job": "shop"},
                {"__name__": "wait_seconds_bucket", "le": "+Inf", "job": "shop"},
            ],
        }.get(path)
        body = (
            b"nothing" if data is None else json.dumps({"status": "success", "data": data}).encode()
        )
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Prometheus) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_a_prometheus_tells_what_exists(server):
    metrics = {metric.name: metric for metric in read_server(server)}
    assert metrics["orders_total"].type is MetricType.COUNTER
    assert set(metrics["orders_total"].labels) >= {"outcome"}
    assert metrics["wait_seconds"].buckets == (0.5,)


def test_rules_are_checked_against_a_prometheus(folder, server):
    (folder / "object.yml").write_text(OBJECT.replace("outcome=", "result="))
    messages = [one.message for one in found("object.yml", server=server)]
    assert any("orders_total has no label 'result'" in one for one in messages)


def test_what_is_no_prometheus_is_told_so(server):
    with pytest.raises(ConfigError, match="does not answer as Prometheus does"):
        read_server(f"{server}/elsewhere")


def test_what_a_contract_declares_and_its_package_never_records_is_found(tmp_path, monkeypatch):
    package = tmp_path / "corner"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "telemetry.py").write_text(CONTRACT)
    (package / "app.py").write_text(
        "from corner.telemetry import ACTIVE, ORDERS\n\n\ndef ordered(watch):\n"
        '    watch.counter(ORDERS).inc(outcome="paid")\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    faults = [
        one.subject
        for one in found("corner.telemetry:CONTRACT")
        if one.check == "declared-never-set"
    ]
    assert faults == ["metric active_orders_total"]
