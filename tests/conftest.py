"""What tests of every part share: the real servers, started once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from resume_optimizer.devstack.servers import RunningServers, running_servers

# No timing decides a test: a busy machine is no fault of the code.
settings.register_profile(
    "watchkeeper", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("watchkeeper")


LONGEST_FIRST = (
    "tests/end_to_end/",
    "tests/resume_optimizer/api/",
    "tests/resume_optimizer/jobs/",
    "tests/watchkeeper/page/",
    "tests/watchkeeper/prove/",
)
"""What takes longest, longest first: a parallel run that ends with it ends with one idle core."""
TOGETHER = ("tests/end_to_end/", "tests/watchkeeper/page/")
"""Folders whose tests share one running stack or browser."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first; all else stays in its order."""

    def place(item: pytest.Item) -> int:
        ranks = (rank for rank, path in enumerate(LONGEST_FIRST) if item.nodeid.startswith(path))
        return next(ranks, len(LONGEST_FIRST))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole modules, in the order above, so that what a module starts is started once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByModule(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            shared = (path for path in TOGETHER if nodeid.startswith(path))
            return next(shared, nodeid.partition("::")[0])

    config.option.loadscopereorder = False
    return ByModule(config, log)


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
