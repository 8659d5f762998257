import os
import sys

import pytest

from resume_optimizer.devstack import supervisor as module
from resume_optimizer.devstack.child import Command
from resume_optimizer.devstack.server import Server, ServerFailedError
from resume_optimizer.devstack.supervisor import Supervisor


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(said, monkeypatch):
    monkeypatch.setattr(module, "RESTART_PAUSE_SECONDS", 0.0)
    made = Supervisor(said.append)
    yield made
    made.stop()


def part(tmp_path, program: str = "import signal; signal.pause()", answers=lambda: True) -> Server:
    return Server(
        command=Command(
            name="part",
            arguments=(sys.executable, "-c", program),
            output=tmp_path / "part.log",
            environment=os.environ,
        ),
        answers=answers,
        patience_seconds=60,
    )


def test_a_part_that_dies_is_started_again(supervisor, said, tmp_path):
    supervisor.start({"part": part(tmp_path)})
    first = supervisor.child("part").process
    first.kill()
    first.wait()
    supervisor.watch()
    supervisor.watch()
    assert said == ["part ended with status -9; starting it again"]
    assert supervisor.child("part").process.pid != first.pid


def test_a_part_that_is_held_stays_down_until_it_is_released(supervisor, tmp_path):
    supervisor.start({"part": part(tmp_path)})
    supervisor.hold("part")
    supervisor.watch()
    assert supervisor.child("part") is None
    supervisor.release("part")
    assert supervisor.child("part").alive


def test_a_part_that_cannot_start_says_its_last_words(supervisor, tmp_path):
    failing = part(tmp_path, "raise SystemExit('no disk')", answers=lambda: False)
    with pytest.raises(ServerFailedError, match=r"ended while starting(.|\n)*no disk"):
        supervisor.start({"part": failing})


def test_stopping_ends_every_part(supervisor, tmp_path):
    supervisor.start({"one": part(tmp_path), "other": part(tmp_path)})
    processes = [supervisor.child(name).process for name in ("one", "other")]
    supervisor.stop()
    assert all(process.poll() is not None for process in processes)
