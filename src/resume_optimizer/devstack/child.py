"""A child process that cannot outlive its launcher."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends when the parent is gone."""

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run and how to end it.

    `user_id` and `group_id` are those to drop to (None: stay). `output` takes stdout and stderr.
    `stop_signal` asks it to end; the kernel sends `death_signal` should the launcher vanish.
    """

    name: str
    arguments: tuple[str, ...]
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    user_id: int | None = None
    group_id: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM
    inherited_files: tuple[int, ...] = ()


@dataclass(slots=True)
class Child:
    """A started command."""

    command: Command
    process: subprocess.Popen[bytes]

    @property
    def alive(self) -> bool:
        """Whether it still runs; reaps it if it does not."""
        return self.process.poll() is None

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Ask it to end, wait, and kill it if it does not listen. Does nothing if it has ended."""
        with suppress(ProcessLookupError):
            self.process.send_signal(self.command.stop_signal)
        try:
            self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def last_words(self, lines: int = 5) -> str:
        """Return the last lines it wrote."""
        text = self.command.output.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])


def start(command: Command) -> Child:
    """Start a command. Call it from the main thread: the death signal follows that thread."""
    launcher = os.getpid()

    def die_with_launcher() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, command.death_signal, 0, 0, 0)
        if os.getppid() != launcher:
            os._exit(1)

    command.output.parent.mkdir(parents=True, exist_ok=True)
    with command.output.open("ab") as output:
        process = subprocess.Popen(
            command.arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(command.environment),
            cwd=command.directory,
            user=command.user_id,
            group=command.group_id,
            extra_groups=None if command.user_id is None else [],
            pass_fds=command.inherited_files,
            start_new_session=True,
            preexec_fn=die_with_launcher,
        )
    return Child(command, process)
