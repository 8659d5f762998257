"""The pytest plugin `watchkeeper`: the fixture `captured`, for the tests of a watched service.

    # pyproject.toml
    [tool.pytest.ini_options]
    watchkeeper_contract = "shop.telemetry:CONTRACT"

    def test_an_order_is_counted(captured):
        place_order(telemetry=captured.telemetry)
        assert captured.value(ORDERS, outcome="paid") == 1

Tests of several contracts override the fixture `watched_contract` in place of the setting.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from watchkeeper.contract import Contract
    from watchkeeper.testing import Captured

SETTING = "watchkeeper_contract"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting."""
    parser.addini(SETTING, "the contract of the watched service, as package.module:NAME")


@pytest.fixture
def watched_contract(pytestconfig: pytest.Config) -> Contract:
    """The contract of the service under test."""
    from watchkeeper.contract import Contract

    name = str(pytestconfig.getini(SETTING))
    if not name:
        pytest.fail(f"set {SETTING} = package.module:NAME, or override this fixture")
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        pytest.fail(f"{SETTING} = {name} leads nowhere: {error}")
    if not isinstance(found, Contract):
        pytest.fail(f"{SETTING} = {name} is a {type(found).__name__}, not a Contract")
    return found


@pytest.fixture
def captured(watched_contract: Contract) -> Iterator[Captured]:
    """What the test makes the service emit; the clock is fake, faults are raised."""
    from watchkeeper.testing import capture

    with capture(watched_contract) as seen:
        yield seen
