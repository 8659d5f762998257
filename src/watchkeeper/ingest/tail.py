"""Tailing: log files read as they grow, through rotation, truncation and restarts.

A position is saved once the store has the lines before it: after a crash, lines that were
stored and not yet noted come a second time, and none is missed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from glob import iglob
from pathlib import Path

import orjson

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import DecodeError, OverloadError, StorageError
from watchkeeper.ingest.positions import load_positions, save_positions
from watchkeeper.ingest.statistics import IngestStatistics, Signal, Tally, reason_of
from watchkeeper.ingest.tailed_file import Identity, Position, TailedFile
from watchkeeper.model import LogRecord
from watchkeeper.ports import LogStore
from watchkeeper.wire.log_document import read_document

LOGGER = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.5
ROTATED_SECONDS = 60.0
"""How long a file that was rotated away is still read: its writer may not know yet."""
PATH_FIELD = "log.file.path"


class LogTailer:
    """Reads the files that `patterns` (`**` goes into folders) match into `logs`.

    A line that is a JSON object says itself what it means; any other is a message of the
    service that the file is named after. `positions` is the file that remembers.
    Raises ConfigError when that file cannot be read.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        logs: LogStore,
        *,
        positions: Path,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._patterns = tuple(patterns)
        self._logs = logs
        self._path = positions
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._positions = load_positions(positions)
        self._open: dict[Identity, TailedFile] = {}
        self._quiet_ns: dict[Identity, int] = {}
        self._tally = Tally()
        self.problems: dict[str, str] = {}

    def statistics(self) -> IngestStatistics:
        """Return what was kept and refused since the start."""
        return self._tally.snapshot()

    async def run(self) -> None:
        """Read until cancelled; what is being stored then is finished first."""
        while True:
            look = asyncio.create_task(asyncio.to_thread(self.look))
            try:
                more = await asyncio.shield(look)
            except asyncio.CancelledError:
                await asyncio.wait([look])
                raise
            if not more:
                await self._sleep(LOOK_AGAIN_SECONDS)

    def look(self) -> bool:
        """Store what is new, a chunk of each file; return whether there may be more."""
        self.problems = {}
        matched = self._match()
        stored = [key for key, file in list(self._open.items()) if self._advance(key, file)]
        self._let_go(self._open.keys() - matched - set(stored))
        if stored:
            save_positions(self._path, self._positions.values())
        return bool(stored)

    def close(self) -> None:
        """Let go of the files."""
        while self._open:
            self._open.popitem()[1].close()

    def _let_go(self, rotated: set[Identity]) -> None:
        """Close files that were rotated away, and had nothing new for long enough."""
        now_ns = self._clock.monotonic_ns()
        self._quiet_ns = {key: self._quiet_ns.get(key, now_ns) for key in rotated}
        for key, since_ns in self._quiet_ns.items():
            if now_ns - since_ns > ROTATED_SECONDS * 1e9:
                self._open.pop(key).close()
                self._positions.pop(key, None)

    def _match(self) -> set[Identity]:
        """Open what is new, and return which files the patterns mean now."""
        found: set[Identity] = set()
        for pattern in self._patterns:
            # pathlib's own glob takes no absolute patterns.
            for name in sorted(iglob(pattern, recursive=True)):  # noqa: PTH207
                self._take(Path(name), found)
        for key in self._positions.keys() - found - self._open.keys():
            self._find_renamed(key)
        return found

    def _take(self, path: Path, found: set[Identity]) -> None:
        try:
            if not path.is_file():
                return
            status = path.stat()
            key = (status.st_dev, status.st_ino)
            found.add(key)
            if key in self._open:
                return
            file = TailedFile(path, self._positions.get(key))
            if file.is_compressed():
                self.problems[str(path)] = "is gzip: it is not read; name the files before rotation"
                file.close()
            else:
                self._open[key] = file
        except OSError as error:
            self.problems[str(path)] = error.strerror or str(error)

    def _find_renamed(self, key: Identity) -> None:
        """Open a file that was rotated away while nobody looked, under whatever name it has."""
        known = self._positions.pop(key)
        try:
            siblings: Iterable[Path] = list(Path(known.path).parent.iterdir())
            for path in siblings:
                status = path.stat()
                if (status.st_dev, status.st_ino) == key:
                    self._open[key] = TailedFile(path, known)
                    return
        except OSError as error:
            self.problems[known.path] = error.strerror or str(error)

    def _advance(self, key: Identity, file: TailedFile) -> bool:
        """Store a file's next lines, and return whether there were any."""
        try:
            chunk = file.read()
        except OSError as error:
            self.problems[file.position.path] = error.strerror or str(error)
            return False
        if not chunk.lines:
            return False
        records = self._records(chunk.lines, chunk.position)
        try:
            if records:
                self._logs.append(records)
        except (StorageError, OverloadError) as error:
            self._tally.refused(Signal.LOGS, reason_of(error), len(records))
            self.problems[file.position.path] = str(error)
            return False
        self._tally.received(Signal.LOGS, len(records))
        file.position = self._positions[key] = chunk.position
        return True

    def _records(self, lines: Sequence[bytes], position: Position) -> list[LogRecord]:
        now_ns = self._clock.time_ns()
        service = Path(position.path).name.partition(".")[0]
        return [
            read_line(line, position.path, now_ns=now_ns, service=service)
            for line in lines
            if line.strip()
        ]


def read_line(line: bytes, path: str, *, now_ns: int, service: str) -> LogRecord:
    """Return the record that a line means; what cannot be read as a document is its message."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    document: object = None
    if text.startswith("{"):
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError:
            document = None
    place = {PATH_FIELD: path}
    if isinstance(document, dict):
        try:
            return read_document({**place, **document}, now_ns=now_ns, service=service, text=text)
        except DecodeError:
            pass
    return read_document({**place, "message": text}, now_ns=now_ns, service=service)
