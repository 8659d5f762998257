"""Samples: kept durably, admitted as Prometheus does, found by matchers and time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from watchkeeper.model import Exemplar, Labels, Matcher, MetricMetadata, SampleBatch, Series
from watchkeeper.storage import (
    exemplars,
    metadata_file,
    sample_reading,
    sample_records,
    sample_segment,
)
from watchkeeper.storage.admission import Admission
from watchkeeper.storage.decoded_chunks import DecodedChunks
from watchkeeper.storage.engine import Cursor
from watchkeeper.storage.exemplars import NewestExemplars
from watchkeeper.storage.gate import Gate
from watchkeeper.storage.hot_samples import SampleBlock
from watchkeeper.storage.journal import Journal
from watchkeeper.storage.sample_columns import SampleColumns, histogram_column
from watchkeeper.storage.sample_generation import FrozenSamples, SampleGeneration
from watchkeeper.storage.sample_reading import Found
from watchkeeper.storage.sample_records import SampleHead
from watchkeeper.storage.segment_writes import Insert, write_periods
from watchkeeper.storage.segments import Segment, Segments
from watchkeeper.storage.series_index import SeriesIndex
from watchkeeper.storage.wal_format import RecordKind

_NS_PER_MS = 1_000_000
_FORGET_AFTER_MS = 2 * 3600 * 1000
_EVER_MS = (-(2**63), 2**63 - 1)


class DurableMetricStore:
    """The metric store of the disk (ports.MetricStore)."""

    def __init__(
        self, journal: Journal, segments: Segments, metadata_path: Path, decoded: DecodedChunks
    ) -> None:
        self.segments = segments
        self.readers = Gate()
        self.samples = 0
        self._journal = journal
        self._decoded = decoded
        self._period_ms = segments.period_ns // _NS_PER_MS
        self._appending = threading.Lock()
        self._indexing = threading.Lock()
        self._admission = Admission()
        # Oldest first, the last is hot. Replaced whole, read once.
        self._generations: tuple[SampleGeneration, ...] = (SampleGeneration(SeriesIndex()),)
        self._frozen: tuple[FrozenSamples, ...] = ()
        self._newest_exemplars = NewestExemplars()
        self._metadata_path = metadata_path
        self._metadata = metadata_file.load(metadata_path)

    def append(self, batch: SampleBatch) -> int:
        with self._journal.gate.shared(), self._appending:
            hot = self._hot
            with self._indexing:
                ids = hot.index.numbers(batch.labels)
                news = [
                    (hot.index.number(labels), exemplar)
                    for labels, exemplar in self._newest_exemplars.news(batch.exemplars)
                ]
            verdict = self._admission.judge(ids, batch.timestamps_ms, batch.values)
            metadata = [one for one in batch.metadata if self._metadata.get(one.name) != one]
            kept = SampleColumns(
                ids,
                batch.timestamps_ms,
                batch.values,
                batch.starts_ms,
                histogram_column(batch.histograms),
            )
            if not verdict.keep.all():
                kept = kept.take(verdict.keep)
            if len(kept) or news or metadata:
                needed = {*kept.ids.tolist(), *(identity for identity, _ in news)}
                series = [(one, hot.index.labels(one)) for one in needed - hot.logged]
                head = sample_records.head_of(kept, series, news, metadata)
                payload = sample_records.pack(head, kept)
                self._journal.write(RecordKind.SAMPLES, payload, len(batch.labels))
                hot.logged |= needed
                self._take(head, kept)
        for reason, count in verdict.refused.items():
            self._journal.refuse(reason, count)
        return verdict.refused_samples

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Series]:
        found = Found()
        with self.readers.shared():
            for segment in self._segments_of(start_ms, end_ms):
                sample_reading.read_segment(
                    self.segments, segment, matchers, start_ms, end_ms, self._decoded, found
                )
            for index, blocks in self._in_memory():
                with self._indexing:
                    ids = index.select(matchers)
                found.add_block(index, blocks, ids, start_ms, end_ms)
        return found.series()

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        found: set[Labels] = set()
        for index in self._indexes(start_ms, end_ms):
            found.update(index.labels(int(one)) for one in index.select(matchers))
        return sorted(found)

    def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        found: set[str] = set()
        for index in self._indexes(start_ms, end_ms):
            found |= index.label_names(matchers)
        return sorted(found)

    def label_values(
        self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[str]:
        found: set[str] = set()
        for index in self._indexes(start_ms, end_ms):
            found |= index.label_values(name, matchers)
        return sorted(found)

    def metadata(self) -> list[MetricMetadata]:
        known = dict(self._metadata)
        return [known[name] for name in sorted(known)]

    def exemplars(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        with self.readers.shared():
            hot = [one for made in self._generations for one in list(made.exemplars)]
            for frozen in self._frozen:
                hot += [one for found in frozen.exemplars.values() for one in found]
            cold = [
                one
                for segment in self._segments_of(start_ms, end_ms)
                for one in sample_reading.read_exemplars(
                    self.segments, segment, matchers, start_ms, end_ms
                )
            ]
        chosen = exemplars.choose(hot, matchers, start_ms, end_ms)
        return exemplars.group([*cold, *chosen])

    @property
    def _hot(self) -> SampleGeneration:
        return self._generations[-1]

    def series_count(self) -> int:
        """Return how many series hot memory knows."""
        return len(self._hot.index)

    def recall(self, now_ms: int) -> None:
        """Learn from the newest segments when each series was last heard of."""
        recent = self.segments.all()
        if not recent:
            return
        latest_ms = min(recent[0].end_ns // _NS_PER_MS, now_ms)
        heard = [
            one
            for one in recent
            if one is recent[0] or one.end_ns // _NS_PER_MS > latest_ms - _FORGET_AFTER_MS
        ]
        self._admission.horizon_ms = min(one.start_ns for one in heard) // _NS_PER_MS - 1
        for segment in reversed(heard):
            self.segments.read(segment, self._learn(segment))

    def replay(self, sequence: int, payload: bytes, known: dict[int, Labels]) -> int:
        """Take in what no segment has yet of a record; return how many samples had no series.

        `known` is what earlier records said about series, and is added to.
        """
        head, columns = sample_records.unpack(payload)
        known.update(head.series)
        unknown = ~np.isin(columns.ids, np.fromiter(known, np.int32, len(known)))
        keep = ~unknown
        starts = columns.times_ms // self._period_ms * self._period_ms
        for start_ms in set(starts.tolist()):
            if self.segments.watermark(start_ms * _NS_PER_MS) >= sequence:
                keep &= starts != start_ms
        index = self._hot.index
        news = [
            (index.number(known[identity]), exemplar)
            for identity, exemplar in head.exemplars
            if identity in known
            and self.segments.watermark(exemplar.timestamp_ms * _NS_PER_MS) < sequence
        ]
        kept = columns.take(keep)
        kept = kept.renumbered(index.numbers([known[one] for one in kept.ids.tolist()]))
        self._take(SampleHead(len(kept), [], news, head.metadata), kept)
        return int(unknown.sum())

    def freeze(self, now_ms: int) -> None:
        """Start another generation. No append may be under way."""
        following = SampleGeneration(self._without_silent(self._hot.index, now_ms))
        self._generations = (*self._generations, following)

    def write_frozen(self, sequence: int) -> None:
        """Move frozen samples, which are all up to `sequence`, into segments.

        Raises StorageError, OSError; what could not be moved stays readable.
        """
        metadata_file.save(self._metadata_path, self._metadata)
        cut = tuple(FrozenSamples.of(one, self._period_ms) for one in self._generations[:-1])
        with self.readers.alone():
            self._frozen = (*self._frozen, *cut)
            self._generations = self._generations[-1:]
        frozen = self._frozen
        periods = {start_ms for one in frozen for start_ms in one.periods()}
        inserts = {start_ms * _NS_PER_MS: self._insert(start_ms, sequence) for start_ms in periods}

        def leave_hot(start_ns: int) -> None:
            for one in frozen:
                one.leave(start_ns // _NS_PER_MS)

        write_periods(self.segments, self.readers, sequence, inserts, leave_hot)
        with self.readers.alone():
            self._frozen = tuple(one for one in self._frozen if one.periods())

    def _take(self, head: SampleHead, columns: SampleColumns) -> None:
        self._hot.samples.add(columns)
        self._admission.remember(columns.ids, columns.times_ms, columns.values)
        self.samples += len(columns)
        found = [(self._hot.index.labels(one), exemplar) for one, exemplar in head.exemplars]
        self._hot.exemplars.extend(found)
        self._newest_exemplars.remember(found)
        if head.metadata:
            self._metadata = self._metadata | {one.name: one for one in head.metadata}

    def _segments_of(self, start_ms: int, end_ms: int) -> list[Segment]:
        """Return the segments of a range, oldest first."""
        found = self.segments.overlapping(start_ms * _NS_PER_MS, (end_ms + 1) * _NS_PER_MS - 1)
        return found[::-1]

    def _in_memory(self) -> list[tuple[SeriesIndex, tuple[SampleBlock, ...]]]:
        """Return what is not in segments, oldest first."""
        return [
            *((one.index, tuple(one.blocks.values())) for one in self._frozen),
            *((one.index, one.samples.blocks()) for one in self._generations),
        ]

    def _indexes(self, start_ms: int, end_ms: int) -> Iterable[SeriesIndex]:
        with self.readers.shared():
            for segment in self._segments_of(start_ms, end_ms):
                found = sample_reading.read_index(self.segments, segment)
                if found is not None:
                    yield found
            seen: list[SeriesIndex] = []
            for index, blocks in self._in_memory():
                inside = any(one.start_ms <= end_ms and one.end_ms >= start_ms for one in blocks)
                if inside and not any(index is one for one in seen):
                    seen.append(index)
                    with self._indexing:
                        yield index

    def _learn(self, segment: Segment) -> Callable[[Cursor, str], None]:
        def learn(cursor: Cursor, _: str) -> None:
            index = sample_segment.index(cursor, segment)
            rows = sample_segment.newest(cursor, segment)
            ids = self._hot.index.numbers([index.labels(series) for series, _ in rows])
            times = np.array([time_ms for _, time_ms in rows], np.int64)
            later = times > self._admission.newest_ms(ids)
            self._admission.remember(ids[later], times[later], np.zeros(int(later.sum())))
            everything = np.arange(len(index), dtype=np.int32)
            found = sample_segment.exemplars(cursor, segment, everything, *_EVER_MS)
            found.sort(key=lambda one: one[1].timestamp_ms)
            self._newest_exemplars.remember((index.labels(one), last) for one, last in found)

        return learn

    def _without_silent(self, index: SeriesIndex, now_ms: int) -> SeriesIndex:
        """Return an index without the series that nobody sent for long, if they are many."""
        ids = np.arange(len(index), dtype=np.int32)
        newest = self._admission.newest_ms(ids)
        latest = min(int(newest.max(initial=np.iinfo(np.int64).min)), now_ms)
        active = ids[newest >= latest - _FORGET_AFTER_MS]
        if len(active) * 2 >= len(ids):
            return index
        kept = SeriesIndex(index.labels(int(one)) for one in active)
        self._admission = self._admission.only(active)
        gone = np.setdiff1d(ids, active, assume_unique=True)
        self._newest_exemplars.forget(index.labels(int(one)) for one in gone)
        return kept

    def _insert(self, start_ms: int, sequence: int) -> Insert:
        frozen = self._frozen
        parts = [part for one in frozen for part in one.part(start_ms)]
        found = [pair for one in frozen for pair in one.exemplars.get(start_ms, [])]

        def insert(cursor: Cursor, segment: Segment) -> None:
            sample_segment.insert(cursor, segment, sequence, parts, found)

        return insert
