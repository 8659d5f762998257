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
from watchkeeper.storage.hot_samples import Ids, SampleBlock, Times, Values
from watchkeeper.storage.segments import Segment, Segments
from watchkeeper.storage.series_index import SeriesIndex


class Found:
    """Collects parts of series; those of one series MUST be added from old to new."""

    def __init__(self) -> None:
        self._parts: dict[Labels, list[tuple[Times, Values]]] = {}

    def add(self, labels: Labels, times_ms: Times, values: Values) -> None:
        """Add samples of one series."""
        if len(times_ms):
            self._parts.setdefault(labels, []).append((times_ms, values))

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
        bounds = [0, *(np.flatnonzero(np.diff(block.ids)) + 1).tolist(), len(block)]
        firsts = block.ids[bounds[:-1]].tolist()
        for identity, begin, end in zip(firsts, bounds, bounds[1:], strict=False):
            self.add(index.labels(identity), block.times_ms[begin:end], block.values[begin:end])

    def series(self) -> list[Series]:
        """Return the series, sorted, times ascending."""
        return [Series(labels, *_joined(self._parts[labels])) for labels in sorted(self._parts)]


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

    def question(cursor: Cursor, _: str) -> list[tuple[Labels, Times, Values]]:
        index = sample_segment.index(cursor, segment)
        ids = index.select(matchers)
        if not len(ids):
            return []
        stored = sample_segment.chunks(cursor, segment, ids, start_ms, end_ms)
        parts = []
        for one in stored:
            times, values = decoded.times(one.times), decoded.values(one.values)
            begin, end = np.searchsorted(times, (start_ms, end_ms + 1))
            parts.append((index.labels(one.series), times[begin:end], values[begin:end]))
        return parts

    try:
        answer = segments.read(segment, question)
    except StoreDamagedError as error:
        segment.damaged = str(error)
        return
    for labels, times, values in answer or ():
        found.add(labels, times, values)


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


def _joined(parts: list[tuple[Times, Values]]) -> tuple[Times, Values]:
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part[0] for part in parts])
    return times, np.concatenate([part[1] for part in parts])
