"""What tests of every part share: the real servers, started once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from resume_optimizer.devstack.servers import RunningServers, running_servers

# No timing decides a test: a busy machine is no fault of the code.
settings.register_profile("watchkeeper", deadline=None)
settings.load_profile("watchkeeper")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that share one running stack in one process of a parallel run.

    First, because pytest-xdist reads the groups in the same hook.
    """
    for item in items:
        if "end_to_end" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServers]:
    """PostgreSQL, Valkey and SeaweedFS, empty at the start of the session."""
    with running_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Find a program that a fresh machine may lack: its tests are not run then, and fail in CI."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            message = f"needs {name}, which is not installed"
            pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
        return str(path)

    return find
