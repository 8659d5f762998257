"""Samples of segments and of memory, put together by series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from watchkeeper.errors import StoreDamagedError
from watchkeeper.model import Labels, Matcher, Series
from watchkeeper.storage import hot_samples, sample_segment
from watchkeeper.storage.decoded_chunks import DecodedChunks
from watchkeeper.storage.engine import Cursor
from watchkeeper.storage.exemplars import SeriesExemplar
from watchkeeper.storage.hot_samples import SampleBlock
from watchkeeper.storage.sample_columns import (
    Ids,
    SampleColumns,
    joined,
)
from watchkeeper.storage.segments import Segment, Segments
from watchkeeper.storage.series_index import SeriesIndex


class Found:
    """Collects parts of series; those of one series MUST be added from old to new."""

    def __init__(self) -> None:
        self._parts: dict[Labels, list[SampleColumns]] = {}

    def add(self, labels: Labels, columns: SampleColumns) -> None:
        """Add samples of one series."""
        if len(columns):
            self._parts.setdefault(labels, []).append(columns)

    def add_block(
        self,
        index: SeriesIndex,
        blocks: tuple[SampleBlock, ...],
        ids: Ids,
        start_ms: int,
        end_ms: int,
    ) -> None:
        """Add the samples of some series that are in memory."""
        if not len(ids):
            return
        block = hot_samples.select(blocks, ids, start_ms, end_ms)
        if block is None:
            return
        own = block.columns.ids
        bounds = [0, *(np.flatnonzero(np.diff(own)) + 1).tolist(), len(own)]
        firsts = own[bounds[:-1]].tolist()
        for identity, begin, end in zip(firsts, bounds, bounds[1:], strict=False):
            self.add(index.labels(identity), block.columns.take(slice(begin, end)))

    def series(self) -> list[Series]:
        """Return the series, sorted, times ascending."""
        return [_series(labels, joined(self._parts[labels])) for labels in sorted(self._parts)]


def read_segment(
    segments: Segments,
    segment: Segment,
    matchers: Sequence[Matcher],
    start_ms: int,
    end_ms: int,
    decoded: DecodedChunks,
    found: Found,
) -> None:
    """Add what a segment has; nothing of it if it turns out to be damaged."""

    def question(cursor: Cursor, _: str) -> list[tuple[Labels, SampleColumns]]:
        index = sample_segment.index(cursor, segment)
        ids = index.select(matchers)
        if not len(ids):
            return []
        stored = sample_segment.chunks(cursor, segment, ids, start_ms, end_ms)
        parts = []
        for one in stored:
            times, values = decoded.times(one.times), decoded.values(one.values)
            begin, end = np.searchsorted(times, (start_ms, end_ms + 1))
            ids = np.full(len(times), one.series, np.int32)
            columns = SampleColumns(ids, times, values).take(slice(begin, end))
            parts.append((index.labels(one.series), columns))
        return parts

    try:
        answer = segments.read(segment, question)
    except StoreDamagedError as error:
        segment.damaged = str(error)
        return
    for labels, columns in answer or ():
        found.add(labels, columns)


def read_index(segments: Segments, segment: Segment) -> SeriesIndex | None:
    """Return the series of a segment, or None if it is damaged."""
    return segments.read(segment, lambda cursor, _: sample_segment.index(cursor, segment))


def read_exemplars(
    segments: Segments, segment: Segment, matchers: Sequence[Matcher], start_ms: int, end_ms: int
) -> list[SeriesExemplar]:
    """Return the exemplars that a segment has of matching series."""

    def question(cursor: Cursor, _: str) -> list[SeriesExemplar]:
        index = sample_segment.index(cursor, segment)
        rows = sample_segment.exemplars(cursor, segment, index.select(matchers), start_ms, end_ms)
        return [(index.labels(series), exemplar) for series, exemplar in rows]

    return segments.read(segment, question) or []


def _series(labels: Labels, columns: SampleColumns) -> Series:
    native = None if columns.histograms is None else columns.histograms.tolist()
    return Series(labels, columns.times_ms, columns.values, native, columns.starts_ms)
