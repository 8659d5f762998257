"""What tests of every part share: the real servers, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resume_optimizer.devstack.servers import RunningServers, running_servers


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServers]:
    """PostgreSQL, Valkey and SeaweedFS, empty at the start of the session."""
    with running_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running
