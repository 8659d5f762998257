import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from resume_optimizer.devstack.child import Command, start


def command(tmp_path: Path, program: str, **options) -> Command:
    return Command(
        name="child",
        arguments=(sys.executable, "-c", textwrap.dedent(program)),
        output=tmp_path / "child.log",
        environment=os.environ,
        **options,
    )


def test_a_child_that_listens_stops_when_asked(tmp_path):
    child = start(command(tmp_path, "import signal; signal.pause()"))
    child.stop()
    assert child.process.returncode == -signal.SIGTERM
    assert not child.alive


def test_a_child_that_does_not_listen_is_killed(tmp_path):
    program = """
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        while True:
            signal.pause()
    """
    child = start(command(tmp_path, program))
    while "deaf" not in child.last_words():
        assert child.alive
    child.stop(timeout_seconds=0.1)
    assert child.process.returncode == -signal.SIGKILL


def test_its_last_words_are_kept(tmp_path):
    child = start(command(tmp_path, "print('one'); print('two'); print('three')"))
    child.process.wait()
    assert child.last_words(2) == "two\nthree"


def test_a_child_does_not_outlive_its_launcher_even_when_that_is_killed(tmp_path):
    launcher_program = f"""
        import os, signal
        from pathlib import Path
        from resume_optimizer.devstack.child import Command, start
        child = start(Command(
            name="child",
            arguments=({sys.executable!r}, "-c", "import signal; signal.pause()"),
            output=Path({str(tmp_path / "child.log")!r}),
            environment=os.environ,
        ))
        print(child.process.pid, flush=True)
        signal.pause()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(launcher_program)], stdout=subprocess.PIPE
    ) as launcher:
        child = os.pidfd_open(int(launcher.stdout.readline()))
        launcher.kill()
    waited, _, _ = select.select([child], [], [], 60)
    os.close(child)
    assert waited, "the child still runs"
