"""OpenTelemetry's instrumentation of botocore works unchanged, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-botocore/bin/python"
CALLS = Path(__file__).parent / "botocore/calls.py"


@pytest.fixture
def told(servers: Any) -> dict[str, Any]:
    """What the calls came to, and their spans."""
    if not PYTHON.exists():
        lacking = "`make botocore` installs what this needs"
        pytest.fail(lacking) if os.environ.get("CI") else pytest.skip(lacking)
    ran = subprocess.run(
        [PYTHON, CALLS],
        env={**os.environ, **servers.environment, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_calls_of_botocore_are_spans_below_ours(told: dict[str, Any]) -> None:
    assert (told["read"], told["refused"]) == ("hello", "NoSuchKey")
    put, got, refused, work = told["spans"]
    for span in (put, got, refused):
        assert span["scope"] == "opentelemetry.instrumentation.botocore"
        assert (span["kind"], span["parent"]) == ("CLIENT", work["span_id"])
        assert span["attributes"]["rpc.service"] == "S3"
    assert [span["name"] for span in (put, got, refused)] == [
        "S3.PutObject",
        "S3.GetObject",
        "S3.GetObject",
    ]
    assert put["attributes"]["http.status_code"] == 200
    assert (got["status"], refused["status"]) == ("UNSET", "ERROR")
    assert refused["events"] == ["exception"]
