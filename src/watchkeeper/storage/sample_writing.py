"""Writing a segment file of samples: aside, synchronised, and only then under its name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.model import Exemplar
from watchkeeper.storage.disk import Disk
from watchkeeper.storage.label_table import LabelTable
from watchkeeper.storage.part import PartName
from watchkeeper.storage.sample_file import MAGIC, SUFFIX, Contents, WindowPlace
from watchkeeper.storage.sample_window import SampleWindow
from watchkeeper.storage.window_writing import WindowWriter

UNFINISHED = ".new"
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that is there, and what readers ask of it first: label sets and newest directory,
    with its place."""

    path: Path
    labels: LabelTable
    newest: tuple[int, SampleWindow] | None


class SampleFileWriter:
    """Writes a file: windows in the order of time, in each the rows of series in theirs.

    Methods raise OSError; `abandon` then removes what there is.
    """

    def __init__(self, directory: Path, name: PartName, labels: LabelTable, disk: Disk) -> None:
        self.path = path = directory / f"{name}{SUFFIX}"
        self._name = name
        self._aside = path.with_name(path.name + UNFINISHED)
        self._disk = disk
        self._labels = labels
        self._descriptor = os.open(
            self._aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
        )
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._offset = 0
        self._windows: list[WindowPlace] = []
        self._newest: tuple[int, SampleWindow] | None = None
        self._put(MAGIC)

    def window(self, start_ms: int) -> WindowWriter:
        """Return what takes the rows of the next window."""
        return WindowWriter(start_ms, self._put)

    def end_window(self, writer: WindowWriter, exemplars: list[tuple[int, Exemplar]]) -> None:
        """Write the directory of a window, with the exemplars of numbered series."""
        if not writer.rows and not exemplars:
            return
        window = writer.directory(exemplars)
        encoded = window.encode()
        offset = self._put(encoded)
        self._newest = offset, window
        moments = [one.timestamp_ms for _, one in exemplars]
        self._windows.append(
            WindowPlace(
                writer.start_ms,
                min([writer.first_ms, *moments]),
                max([writer.last_ms, *moments]),
                writer.samples,
                writer.rows,
                offset,
                len(encoded),
            )
        )

    def finish(self) -> WrittenFile:
        """Write the end, and show the file under its name once it is on the medium."""
        labels = self._labels.encode()
        offset = self._put(labels)
        name = self._name
        contents = Contents(
            name.start_ns,
            name.first_sequence,
            name.last_sequence,
            len(self._labels),
            offset,
            len(labels),
            self._windows,
        )
        self._put(contents.encode())
        self._drain()
        self._disk.synchronise(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        self._disk.rename(self._aside, self.path)
        self._disk.synchronise_directory(self.path.parent)
        return WrittenFile(self.path, self._labels, self._newest)

    def abandon(self) -> None:
        """Remove what was written."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._aside.unlink(missing_ok=True)

    def _put(self, data: bytes) -> int:
        """Write bytes and return where they begin."""
        offset = self._offset
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._offset += len(data)
        if self._waiting_bytes >= _BUFFER_BYTES:
            self._drain()
        return offset

    def _drain(self) -> None:
        self._disk.write(self._descriptor, b"".join(self._waiting))
        self._waiting, self._waiting_bytes = [], 0
