from collections.abc import Callable

import pytest

from watchkeeper.check.finding import Finding
from watchkeeper.check.known import Known
from watchkeeper.check.read_files import read_sources
from watchkeeper.check.run import run
from watchkeeper.check.settings import Settings
from watchkeeper.check.source import Source

Checked = Callable[..., list[Finding]]


@pytest.fixture
def checked() -> Checked:
    """Check texts as if they were files: `checked({"rules.yml": "..."}) -> findings`."""

    def check(
        files: dict[str, str], known: Known | None = None, settings: Settings | None = None
    ) -> list[Finding]:
        reading = read_sources(Source(name, text) for name, text in files.items())
        return list(run(reading.subjects, known or reading.known(), settings).findings)

    return check
