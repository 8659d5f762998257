"""The files of values of one service's processes, in one directory.

Each process writes its own file; whoever is asked for metrics reads all of them. What dead
processes counted is moved into one file, the retired values, so that restarts do not pile up.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

import orjson

from watchkeeper.clock import Clock
from watchkeeper.errors import DecodeError
from watchkeeper.instrument.faults import LOGGER, Faults
from watchkeeper.instrument.values import FileValues, StoredValues, read_values

_SUFFIX = ".values"


@dataclass(slots=True)
class OtherProcesses:
    """What the siblings hold: each live one's cells by key, and what the dead ones counted.

    `since_seconds` is when the first of them began (Unix time); infinity if there is none.
    """

    live: list[dict[bytes, tuple[float, ...]]] = field(default_factory=list)
    retired: list[dict[bytes, tuple[float, ...]]] = field(default_factory=list)
    since_seconds: float = inf


class ProcessFiles:
    """The directory as one process of `service` sees it."""

    def __init__(self, directory: Path, service: str, clock: Clock, faults: Faults) -> None:
        self._faults = faults
        self._directory = directory
        self._service = re.sub(r"[^a-zA-Z0-9_-]", "_", service)
        self._clock = clock
        self._own: Path | None = None
        self._sequence = 0

    def open_own(self) -> FileValues:
        """Return new values of this process, in a file of its own. Raises OSError."""
        self._directory.mkdir(parents=True, exist_ok=True)
        process_id = os.getpid()
        ticks = start_ticks(process_id) or 0
        while True:
            name = f"{self._service}.{process_id}.{ticks}.{self._sequence}{_SUFFIX}"
            self._sequence += 1
            try:
                values = FileValues(
                    self._directory / name,
                    process_id=process_id,
                    start_ticks=ticks,
                    now_seconds=self._clock.time_ns() / 1e9,
                )
            except FileExistsError:
                continue
            self._own = values.path
            return values

    def read_others(self) -> OtherProcesses:
        """Return what every other process of the service holds or held."""
        with self._locked():
            others = OtherProcesses()
            dead: dict[Path, StoredValues] = {}
            for path in sorted(self._directory.glob(f"{self._service}.*{_SUFFIX}")):
                if path == self._own:
                    continue
                try:
                    stored = read_values(path)
                except DecodeError:
                    _set_aside(path)
                    continue
                if stored is None:
                    continue
                if start_ticks(stored.process_id) == stored.start_ticks:
                    others.live.append(stored.entries)
                    others.since_seconds = min(others.since_seconds, stored.made_seconds)
                else:
                    dead[path] = stored
            totals, since_seconds = self._retire(dead)
            others.retired.append(totals)
            others.since_seconds = min(others.since_seconds, since_seconds)
        return others

    def _retire(
        self, dead: dict[Path, StoredValues]
    ) -> tuple[dict[bytes, tuple[float, ...]], float]:
        """Add what the dead counted to the retired values, and remove their files; return these
        values, and since when they were counted.

        The retired file names the files that it took, so that a crash between its writing and
        their removal counts nothing twice. When it cannot be written the files stay, and are added
        up again at the next scrape.
        """
        path = self._directory / f"{self._service}.retired.json"
        taken, totals, since_seconds = _read_retired(path)
        fresh = {file: stored for file, stored in dead.items() if file.name not in taken}
        for stored in fresh.values():
            since_seconds = min(since_seconds, stored.made_seconds)
            for key, cells in stored.entries.items():
                if not _is_key(key):
                    continue
                before = totals.get(key)
                if before is None or len(before) != len(cells):
                    totals[key] = cells
                else:
                    totals[key] = tuple([a + b for a, b in zip(before, cells, strict=True)])
        if dead:
            try:
                _write_retired(path, [file.name for file in dead], totals, since_seconds)
            except OSError as error:
                self._faults.note("process_files", error)
                return totals, since_seconds
            for file in dead:
                file.unlink(missing_ok=True)
        return totals, since_seconds

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(
            self._directory / f"{self._service}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def start_ticks(process_id: int) -> int | None:
    """Return when a process started, in clock ticks since boot, or None if there is none.

    Source: proc(5), field 22 of /proc/<pid>/stat; the second field may hold anything.
    """
    try:
        text = Path(f"/proc/{process_id}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    # A zombie counts nothing any more.
    return None if fields[0] == "Z" else int(fields[19])


def _read_retired(path: Path) -> tuple[set[str], dict[bytes, tuple[float, ...]], float]:
    try:
        stored = orjson.loads(path.read_bytes())
        totals = {
            orjson.dumps(key): tuple([float(cell) for cell in cells])
            for key, cells in stored["totals"]
        }
        return set(stored["taken"]), totals, float(stored.get("since_seconds") or inf)
    except FileNotFoundError:
        return set(), {}, inf
    except (ValueError, KeyError, TypeError, AttributeError):
        _set_aside(path)
        return set(), {}, inf


def _is_key(key: bytes) -> bool:
    try:
        return isinstance(orjson.loads(key), list)
    except ValueError:
        return False


def _set_aside(path: Path) -> None:
    damaged = path.with_suffix(".damaged")
    path.replace(damaged)
    LOGGER.warning("%s cannot be read and was set aside as %s", path, damaged.name)


def _write_retired(
    path: Path, taken: list[str], totals: dict[bytes, tuple[float, ...]], since_seconds: float
) -> None:
    body = orjson.dumps(
        {
            "taken": taken,
            "since_seconds": since_seconds,
            "totals": [[orjson.loads(key), cells] for key, cells in totals.items()],
        }
    )
    unfinished = path.with_suffix(".writing")
    unfinished.write_bytes(body)
    unfinished.replace(path)
