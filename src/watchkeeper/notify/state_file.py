"""What survives a restart: silences, what was told to whom, the last deliveries, the alerts."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from watchkeeper.errors import StorageError
from watchkeeper.notify.alert import Alert
from watchkeeper.notify.history import Entry
from watchkeeper.notify.notification_log import LogEntry, LogKey
from watchkeeper.notify.silence import Silence

LOGGER = logging.getLogger(__name__)

VERSION = 1
_NAME = "notifier.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything that is kept, as it stood at `saved_at_ns`."""

    version: int = VERSION
    saved_at_ns: int = 0
    silences: tuple[Silence, ...] = ()
    log: tuple[tuple[LogKey, LogEntry], ...] = ()
    alerts: tuple[Alert, ...] = ()
    deliveries: tuple[Entry, ...] = ()


class StateFile:
    """One JSON file in a directory, replaced as a whole; without a directory it keeps nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._path = None if directory is None else directory / _NAME

    def load(self) -> State:
        """Return what was kept. A damaged file is set aside and said so."""
        if self._path is None or not self._path.exists():
            return State()
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=State)
        except (msgspec.DecodeError, OSError) as error:
            aside = self._path.with_suffix(".damaged")
            self._path.replace(aside)
            LOGGER.error(
                "the notifier's state cannot be read and was set aside: %s: %s", aside, error
            )
            return State()

    def save(self, state: State) -> None:
        """Keep `state`, on disk before it returns. Raises StorageError."""
        if self._path is None:
            return
        temporary = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(msgspec.json.encode(state))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            raise StorageError(f"{self._path} cannot be written: {error.strerror}") from None
