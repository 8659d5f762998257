import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from watchkeeper.cli import main


def invoke(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=text)


def test_without_its_extra_the_command_says_what_to_install():
    program = "import sys; sys.modules['click'] = None; from watchkeeper.cli import main"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr == (
        "watchkeeper: the command needs the extra `server`: pip install 'watchkeeper[server]'\n"
    )


class Answers(BaseHTTPRequestHandler):
    """A service and a backend in one, that are well but for what `down` names."""

    down: set[str] = set()  # noqa: RUF012 - shared by the requests of one test on purpose

    def do_GET(self) -> None:
        names = {
            "/health/ready": ("dependencies", "up", ("database", "worker")),
            "/api/health": ("checks", "ok", ("scraping", "storing", "evaluating", "notifying")),
        }
        status, content = 200, {}
        if self.path in names:
            listed, verdict, parts = names[self.path]
            content = {listed: [{"name": part, verdict: part not in self.down} for part in parts]}
            status = 503 if self.down.intersection(parts) else 200
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Stay quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_health_is_a_table_and_zero_while_all_is_well(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answers, "down", set())
    result = invoke("health", "--service", address, "--backend", address)
    assert result.exit_code == 0, result.output
    assert "Everything is up." in result.output


def test_health_is_one_when_something_is_down(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answers, "down", {"worker", "storing"})
    result = invoke("health", "--service", address, "--backend", address, "--json")
    assert result.exit_code == 1
    findings = json.loads(result.output)["findings"]
    assert [row["name"] for row in findings if not row["ok"]] == ["worker", "storing"]
    assert len(findings) == 7


def test_health_of_nothing_at_all_is_told_without_a_traceback() -> None:
    result = invoke("health", "--service", "http://127.0.0.1:1", "--backend", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert "cannot be reached" in result.output


def test_health_takes_no_password_on_the_command_line() -> None:
    result = invoke("health", "--service", "http://user:secret@127.0.0.1:8000")
    assert result.exit_code == 2
    assert "secret" not in result.output


def test_render_writes_the_files_of_a_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small_contract.py").write_text(
        "from watchkeeper.contract import Contract, Signals\n"
        "CONTRACT = Contract(service='small', version='1', signals=Signals())\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    result = invoke("render", "small_contract:CONTRACT", "--directory", str(tmp_path / "deploy"))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "deploy" / "prometheus" / "prometheus.yml").is_file()


def test_render_check_names_the_files_that_are_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one_contract.py").write_text(
        "from watchkeeper.contract import Contract, Signals\n"
        "CONTRACT = Contract(service='small', version='1', signals=Signals())\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    render = ["render", "one_contract:CONTRACT", "--directory", str(tmp_path / "deploy")]
    assert invoke(*render, "--check").exit_code == 1
    assert not (tmp_path / "deploy").exists()
    invoke(*render)
    assert invoke(*render, "--check").exit_code == 0
    (tmp_path / "deploy" / "prometheus" / "prometheus.yml").write_text("by hand")
    result = invoke(*render, "--check")
    assert result.exit_code == 1
    assert "prometheus.yml is not what the contract renders to" in result.output


@pytest.mark.parametrize("place", ["no_such_module:CONTRACT", "json:NOTHING", "json", "json:dumps"])
def test_render_says_in_one_line_what_cannot_be_imported(place: str) -> None:
    result = invoke("render", place)
    assert result.exit_code == 2
    assert result.output.startswith("watchkeeper: ")
    assert len(result.output.splitlines()) == 1


def test_promql_fmt_prints_the_usual_form() -> None:
    result = invoke("promql", "fmt", "sum(rate(x[5m]))by(job)")
    assert (result.exit_code, result.output) == (0, "sum by (job) (rate(x[5m]))\n")
    assert invoke("promql", "fmt", "-", text="1+1").output == "1 + 1\n"


def test_promql_fmt_opens_what_is_long_and_checks() -> None:
    query = "sum(rate(x[5m])) by (job)"
    laid_out = "sum by (job) (\n  rate(x[5m])\n)\n"
    assert invoke("promql", "fmt", query, "--width", "20").output == laid_out
    assert invoke("promql", "fmt", "--check", query).exit_code == 1
    assert invoke("promql", "fmt", "--check", "-", "--width", "20", text=laid_out).exit_code == 0


def test_promql_fmt_says_where_an_expression_is_wrong() -> None:
    result = invoke("promql", "fmt", "sum(")
    assert result.exit_code == 2
    assert "parse error" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "none.yml", "--port", "0"], "none.yml"),
        (["--host", "0.0.0.0"], "--tokens"),
        (["--tls-key", "key.pem"], "go together"),
        (["--tls-key", "none.pem", "--tls-certificate", "none.pem"], "none.pem"),
        (["--tls-key", __file__, "--tls-certificate", __file__], "not a PEM certificate"),
        (["--tokens", "none"], "none"),
        (["--host", "203.0.113.1", "--tokens", "none"], "none"),
    ],
)
def test_run_says_in_one_line_why_it_cannot_start(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("run", *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.splitlines()) == 1
