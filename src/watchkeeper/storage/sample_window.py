"""Two hours of a segment file: which series have samples, and where their blocks lie.

Rows of one series each are kept in blocks of similar rows, of at most so many samples.
Times are kept once for all rows that share them, in blocks of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from watchkeeper.errors import StoreDamagedError
from watchkeeper.model import Exemplar
from watchkeeper.storage import column_codec
from watchkeeper.storage.column_codec import Ints, row_starts
from watchkeeper.storage.sample_columns import Ids

WINDOW_MS = 2 * 3600 * 1000


class BlockPlace(NamedTuple):
    """Where a block of rows is: values, then starts and histograms if it has them."""

    offset: int
    values_bytes: int
    starts_bytes: int
    histograms_bytes: int
    rows: int


class TimesPlace(NamedTuple):
    """Where a block of times is, and how many columns of times it has."""

    offset: int
    size_bytes: int
    columns: int


class _Body(msgspec.Struct, frozen=True, array_like=True):
    blocks: list[BlockPlace]
    times: list[TimesPlace]
    time_lengths: bytes
    time_ends: bytes
    row_series: bytes
    row_times: bytes
    rows: int
    columns: int
    exemplars: list[tuple[int, Exemplar]]


_DECODER = msgspec.msgpack.Decoder(_Body)


@dataclass(frozen=True, slots=True, eq=False)
class SampleWindow:
    """The directory of a window.

    Rows are numbered block by block; `row_times` is the number of their column of times, in as
    narrow a type as will do. `order` has the rows by series (None where they are in that order
    already), `ordered_series` the series of these. Readers keep directories of all that is new:
    a row takes nine bytes. The rest is worked out: where the rows of blocks and the columns of
    blocks of times begin, and where each column would if all times were end to end.
    """

    blocks: Sequence[BlockPlace]
    times: Sequence[TimesPlace]
    time_lengths: Ints
    time_ends_ms: Ints
    row_times: NDArray[np.unsignedinteger[Any]]
    exemplars: Sequence[tuple[int, Exemplar]]
    order: Ids | None
    ordered_series: Ids
    block_rows: Ints
    times_columns: Ints
    time_starts: Ints

    @classmethod
    def of(
        cls,
        blocks: Sequence[BlockPlace],
        times: Sequence[TimesPlace],
        columns: tuple[Ints, Ints],
        rows: tuple[Ints, Ints],
        exemplars: Sequence[tuple[int, Exemplar]],
    ) -> SampleWindow:
        """Return a directory; `columns` are lengths and last times of the columns of times,
        `rows` the series and the times of rows."""
        series, order = rows[0].astype(np.int32), None
        if (series[1:] < series[:-1]).any():
            order = np.argsort(series, kind="stable").astype(np.int32)
            series = series[order]
        return cls(
            blocks, times, *columns,
            row_times=rows[1].astype(np.min_scalar_type(len(columns[0]))),
            exemplars=exemplars,
            order=order,
            ordered_series=series,
            block_rows=row_starts(np.array([one.rows for one in blocks], np.int64)),
            times_columns=row_starts(np.array([one.columns for one in times], np.int64)),
            time_starts=row_starts(columns[0]),
        )  # fmt: skip

    @property
    def size_bytes(self) -> int:
        """About what it takes in memory."""
        rows = self.row_times.nbytes + self.ordered_series.nbytes
        if self.order is not None:
            rows += self.order.nbytes
        return rows + 24 * len(self.time_lengths) + 400 * len(self.blocks)

    @property
    def row_series(self) -> Ids:
        """The series of each row."""
        if self.order is None:
            return self.ordered_series
        series = np.empty_like(self.ordered_series)
        series[self.order] = self.ordered_series
        return series

    def rows_of(self, series: Ints) -> tuple[Ints, Ints]:
        """Return the rows of some series (ascending), and which of the series have one."""
        own = self.ordered_series
        if not len(own):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        # Of another type, all of them would be copied.
        at = own.searchsorted(series.astype(np.int32))
        np.minimum(at, len(own) - 1, out=at)
        there = np.flatnonzero(own[at] == series)
        rows = at[there]
        return rows if self.order is None else self.order[rows].astype(np.int64), there

    def times_of(self, rows: Ints) -> Ints:
        """Return the numbers of the columns of times of some rows."""
        return self.row_times[rows].astype(np.int64)

    def row_lengths(self, block: int) -> Ints:
        """Return how many samples each row of a block has."""
        begin, end = self.block_rows[block : block + 2]
        lengths: Ints = self.time_lengths[self.row_times[begin:end]]
        return lengths

    def encode(self) -> bytes:
        """Return it as bytes with a checksum."""
        body = _Body(
            list(self.blocks),
            list(self.times),
            _packed(self.time_lengths),
            _packed(self.time_ends_ms),
            _packed(self.row_series.astype(np.int64)),
            _packed(self.row_times.astype(np.int64)),
            len(self.row_times),
            len(self.time_lengths),
            list(self.exemplars),
        )
        return column_codec.squeeze(msgspec.msgpack.encode(body))


def decode(data: bytes) -> SampleWindow:
    """Return what `SampleWindow.encode` gave. Raises StoreDamagedError."""
    try:
        body = _DECODER.decode(column_codec.unsqueeze(data))
    except msgspec.DecodeError as error:
        raise StoreDamagedError(f"a directory cannot be understood: {error}") from error
    return SampleWindow.of(
        body.blocks,
        body.times,
        (_unpacked(body.time_lengths, body.columns), _unpacked(body.time_ends, body.columns)),
        (_unpacked(body.row_series, body.rows), _unpacked(body.row_times, body.rows)),
        body.exemplars,
    )


def _packed(numbers: Ints) -> bytes:
    return column_codec.encode_integers(numbers, np.array([len(numbers)])) if len(numbers) else b""


def _unpacked(data: bytes, count: int) -> Ints:
    if not count:
        return np.zeros(0, np.int64)
    return column_codec.decode_integers(data, np.array([count]))
