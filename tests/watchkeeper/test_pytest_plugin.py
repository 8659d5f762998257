"""The plugin hands a test what its service emitted, and says what it misses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SERVICE = """
from watchkeeper import Contract, Counter, Signals
ORDERS = Counter(name="orders_total", help="Orders.")
CONTRACT = Contract(service="shop", version="1.0.0", signals=Signals(metrics=(ORDERS,)))
"""
TEST = """
from shop import ORDERS
def test_an_order_is_counted(captured):
    captured.telemetry.counter(ORDERS).inc()
    assert captured.value(ORDERS) == 1
"""


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("shop:CONTRACT", "1 passed"),
        ("", "set watchkeeper_contract = package.module:NAME"),
        ("shop:NOTHING", "leads nowhere"),
        ("shop:ORDERS", "is a Counter, not a Contract"),
    ],
)
def test_the_contract_is_found_by_its_name(tmp_path: Path, setting: str, said: str) -> None:
    (tmp_path / "shop.py").write_text(SERVICE)
    (tmp_path / "test_shop.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nwatchkeeper_contract = {setting}\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "watchkeeper.pytest_plugin", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said in ran.stdout, ran.stdout + ran.stderr
