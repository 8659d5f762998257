"""Writing the rows of one window of a segment file: similar rows together, times once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from watchkeeper.model import Exemplar
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage import column_codec, histogram_rows, time_groups
from watchkeeper.storage.column_codec import Form, Ints, row_starts
from watchkeeper.storage.sample_columns import Objects
from watchkeeper.storage.sample_window import BlockPlace, SampleWindow, TimesPlace

_BLOCK_ROWS = 1024
_BLOCK_SAMPLES = 1 << 15
_TIMES_SAMPLES = 1 << 16
_NEVER = 2**63 - 1


class WindowWriter:
    """Takes rows of ascending series; `put` writes bytes and returns where they begin."""

    def __init__(self, start_ms: int, put: Callable[[bytes], int]) -> None:
        self.start_ms = start_ms
        self.first_ms, self.last_ms = _NEVER, -_NEVER
        self.samples = 0
        self._put = put
        self._blocks: list[BlockPlace] = []
        self._times: list[TimesPlace] = []
        self._row_series: list[Ints] = []
        self._row_times: list[Ints] = []
        self._numbers: dict[bytes, int] = {}
        self._lengths: list[int] = []
        self._ends_ms: list[int] = []
        self._waiting: list[Ints] = []
        self._waiting_samples = 0

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(map(len, self._row_series))

    def add(self, series: Ints, columns: SeriesColumns) -> None:
        """Write rows; `series` are the numbers of the file for the series of the columns."""
        if not len(series):
            return
        lengths = np.diff(columns.bounds)
        self.samples += len(columns.values)
        self.first_ms = min(self.first_ms, int(columns.timestamps_ms.min()))
        self.last_ms = max(self.last_ms, int(columns.timestamps_ms.max()))
        times = self._numbered_times(columns, lengths)
        forms, scales = column_codec.forms_and_scales(columns.values, lengths)
        for form in Form:
            for rows in _cut(np.flatnonzero(forms == form), lengths):
                self._write(form, scales[rows], columns, rows)
                self._row_series.append(series[rows])
                self._row_times.append(times[rows])

    def directory(self, exemplars: list[tuple[int, Exemplar]]) -> SampleWindow:
        """Return the directory of everything that was added."""
        self._write_times()
        nothing = [np.zeros(0, np.int64)]
        return SampleWindow.of(
            self._blocks,
            self._times,
            (np.array(self._lengths, np.int64), np.array(self._ends_ms, np.int64)),
            (
                np.concatenate(nothing + self._row_series),
                np.concatenate(nothing + self._row_times),
            ),
            exemplars,
        )

    def _numbered_times(self, columns: SeriesColumns, lengths: Ints) -> Ints:
        """Return the number of each row's column of times; new ones wait to be written."""
        groups = time_groups.group(columns.timestamps_ms, lengths)
        _, model, own = np.unique(groups, return_index=True, return_inverse=True)
        numbers = np.empty(len(model), np.int64)
        for one, row in enumerate(model.tolist()):
            times = columns.timestamps_ms[columns.bounds[row] : columns.bounds[row + 1]]
            key = times.tobytes()
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self._numbers)
                self._wait(times)
            numbers[one] = number
        return numbers[own]

    def _wait(self, times: Ints) -> None:
        self._lengths.append(len(times))
        self._ends_ms.append(int(times[-1]))
        self._waiting.append(times)
        self._waiting_samples += len(times)
        if (
            self._waiting_samples >= _TIMES_SAMPLES
            or len(self._waiting) >= column_codec.MAXIMUM_ROWS
        ):
            self._write_times()

    def _write_times(self) -> None:
        if not self._waiting:
            return
        lengths = np.array([len(one) for one in self._waiting], np.int64)
        block = column_codec.encode_integers(np.concatenate(self._waiting), lengths)
        self._times.append(TimesPlace(self._put(block), len(block), len(lengths)))
        self._waiting, self._waiting_samples = [], 0

    def _write(
        self, form: Form, scales: np.ndarray[tuple[int, ...], np.dtype[np.int8]],
        columns: SeriesColumns, rows: Ints,
    ) -> None:  # fmt: skip
        lengths = np.diff(columns.bounds)[rows]
        places = column_codec.positions(columns.bounds, rows)
        values = column_codec.encode_values(columns.values[places], lengths, form, scales)
        starts = histograms = b""
        if columns.starts_ms is not None:
            since = columns.starts_ms[places]
            if since.any():
                starts = column_codec.encode_integers(since, lengths)
        if columns.histograms is not None:
            histograms = _encoded(columns.histograms[places])
        offset = self._put(values)
        self._put(starts)
        self._put(histograms)
        self._blocks.append(
            BlockPlace(offset, len(values), len(starts), len(histograms), len(rows))
        )


def _encoded(histograms: Objects) -> bytes:
    """Return histograms with their places; nothing if there are none."""
    native = [
        (place, histogram_rows.pack(one))
        for place, one in enumerate(histograms.tolist())
        if one is not None
    ]
    return column_codec.squeeze(msgspec.msgpack.encode(native)) if native else b""


def _cut(rows: Ints, lengths: Ints) -> Iterator[Ints]:
    """Give rows in pieces that are blocks."""
    ends = row_starts(lengths[rows])
    begin = 0
    while begin < len(rows):
        until = int(np.searchsorted(ends, ends[begin] + _BLOCK_SAMPLES, "right")) - 1
        end = min(max(until, begin + 1), begin + _BLOCK_ROWS)
        yield rows[begin:end]
        begin = end
