"""Samples: kept durably, admitted as Prometheus does, found by matchers and time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from watchkeeper.errors import StorageError, StoreDamagedError
from watchkeeper.model import Exemplar, Labels, Matcher, MetricMetadata, SampleBatch
from watchkeeper.series_columns import SeriesColumns
from watchkeeper.storage import exemplars, merge_policy, metadata_file, sample_records
from watchkeeper.storage.admission import Admission
from watchkeeper.storage.exemplars import NewestExemplars, SeriesExemplar
from watchkeeper.storage.gate import Turn
from watchkeeper.storage.journal import Journal
from watchkeeper.storage.sample_columns import SampleColumns, histogram_column
from watchkeeper.storage.sample_file import SampleFile
from watchkeeper.storage.sample_files import SampleFiles
from watchkeeper.storage.sample_flush import write_period
from watchkeeper.storage.sample_generation import FrozenSamples, SampleGeneration
from watchkeeper.storage.sample_merging import write_merged
from watchkeeper.storage.sample_reading import SampleReader
from watchkeeper.storage.sample_records import SampleHead, SeriesSets
from watchkeeper.storage.sample_selection import MemorySource, SampleSelection, Sources
from watchkeeper.storage.sample_writing import WrittenFile
from watchkeeper.storage.series_index import SeriesIndex
from watchkeeper.storage.wal_format import RecordKind

_NS_PER_MS = 1_000_000
_FORGET_AFTER_MS = 2 * 3600 * 1000
_END_OF_TIME_MS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is not in files, oldest first; the last generation is hot. Replaced whole."""

    frozen: tuple[FrozenSamples, ...]
    generations: tuple[SampleGeneration, ...]


class DurableMetricStore:
    """The metric store of the disk (ports.MetricStore)."""

    def __init__(
        self, journal: Journal, files: SampleFiles, metadata_path: Path, reader: SampleReader
    ) -> None:
        self.files = files
        self.samples = 0
        self._journal = journal
        self._reader = reader
        self._period_ms = files.period_ns // _NS_PER_MS
        self._appending = threading.Lock()
        self._merging = threading.Lock()
        self._indexing = threading.Lock()
        # Held while files and memory change together, or are looked at together.
        self._showing = threading.Lock()
        self._admission = Admission()
        self._memory = _Memory((), (SampleGeneration(SeriesIndex()),))
        self._selection = SampleSelection(reader)
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
                others = np.array([identity for identity, _ in news], np.int32)
                unknown = hot.to_log(np.append(kept.ids, others) if news else kept.ids)
                sets = SeriesSets.of(unknown, hot.index.columns()) if len(unknown) else None
                head = sample_records.head_of(kept, sets, news, metadata)
                payload = sample_records.pack(head, kept)
                self._journal.write(RecordKind.SAMPLES, payload, len(batch.labels))
                hot.logged[unknown] = True
                self._take(head, kept)
        for reason, count in verdict.refused.items():
            self._journal.refuse(reason, count)
        return verdict.refused_samples

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        return self._selection.select(self._sources(), matchers, start_ms, end_ms)

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        found: set[Labels] = set()
        for chosen in self._selection.choices(self._sources(), matchers, start_ms, end_ms):
            found.update(chosen.labels)
        return sorted(found)

    def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        found: set[str] = set()
        for index in self._selection.indexes(self._sources(), start_ms, end_ms):
            found |= index.label_names(matchers)
        return sorted(found)

    def label_values(
        self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[str]:
        found: set[str] = set()
        for index in self._selection.indexes(self._sources(), start_ms, end_ms):
            found |= index.label_values(name, matchers)
        return sorted(found)

    def metadata(self) -> list[MetricMetadata]:
        known = dict(self._metadata)
        return [known[name] for name in sorted(known)]

    def exemplars(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        with self._showing:
            files, memory = self.files.all(), self._memory
        hot = [one for made in memory.generations for one in list(made.exemplars)]
        for frozen in memory.frozen:
            hot += [one for found in frozen.exemplars.values() for one in found]
        cold: list[SeriesExemplar] = []
        for file in files:
            table = self._reader.labels(file) if file.overlaps(start_ms, end_ms) else None
            if table is not None:
                found = self._reader.exemplars(file, start_ms, end_ms)
                cold += [(table.labels(number), exemplar) for number, exemplar in found]
        return exemplars.group(exemplars.choose([*cold, *hot], matchers, start_ms, end_ms))

    @property
    def _hot(self) -> SampleGeneration:
        return self._memory.generations[-1]

    def series_count(self) -> int:
        """Return how many series hot memory knows."""
        return len(self._hot.index)

    def recall(self, now_ms: int) -> None:
        """Learn from the newest windows of files when each series was last heard of."""
        places = [place for file in self.files.all() for place in file.contents.windows]
        if not places:
            return
        latest_ms = min(max(place.last_ms for place in places), now_ms)
        since_ms = latest_ms - _FORGET_AFTER_MS
        heard = [place for place in places if place.last_ms > since_ms]
        # Whoever is in none of these windows was last heard of before, and so up to `since_ms`.
        self._admission.horizon_ms = min(since_ms, min(place.start_ms for place in heard) - 1)
        for file in self.files.all():
            recent = file.overlaps(since_ms + 1, _END_OF_TIME_MS)
            table = self._reader.labels(file) if recent else None
            if table is None:
                continue
            for _, window in self._reader.windows(file, since_ms + 1, _END_OF_TIME_MS):
                ids = self._hot.index.numbers([table.labels(n) for n in window.row_series.tolist()])
                times = window.time_ends_ms[window.row_times]
                later = times > self._admission.newest_ms(ids)
                self._admission.remember(ids[later], times[later], np.zeros(int(later.sum())))
                known = sorted(window.exemplars, key=lambda one: one[1].timestamp_ms)
                self._newest_exemplars.remember((table.labels(n), last) for n, last in known)

    def replay(self, sequence: int, payload: bytes, known: dict[int, Labels]) -> int:
        """Take in what no file has yet of a record; return how many samples had no series.

        `known` is what earlier records said about series, and is added to.
        """
        head, columns = sample_records.unpack(payload)
        known.update(head.new_series())
        unknown = ~np.isin(columns.ids, np.fromiter(known, np.int32, len(known)))
        keep = ~unknown
        starts = columns.times_ms // self._period_ms * self._period_ms
        for start_ms in set(starts.tolist()):
            if self.files.watermark(start_ms * _NS_PER_MS) >= sequence:
                keep &= starts != start_ms
        index = self._hot.index
        news = [
            (index.number(known[identity]), exemplar)
            for identity, exemplar in head.exemplars
            if identity in known
            and self.files.watermark(exemplar.timestamp_ms * _NS_PER_MS) < sequence
        ]
        kept = columns.take(keep)
        kept = kept.renumbered(index.numbers([known[one] for one in kept.ids.tolist()]))
        self._take(SampleHead(len(kept), [], news, head.metadata), kept)
        return int(unknown.sum())

    def freeze(self, now_ms: int) -> None:
        """Start another generation. No append may be under way."""
        following = SampleGeneration(self._without_silent(self._hot.index, now_ms))
        with self._showing:
            generations = (*self._memory.generations, following)
            self._memory = replace(self._memory, generations=generations)

    def write_frozen(self, sequence: int) -> None:
        """Move frozen samples, which are all up to `sequence`, into files.

        Raises StorageError, OSError; what could not be moved stays readable.
        """
        metadata_file.save(self._metadata_path, self._metadata)
        cut = tuple(FrozenSamples.of(one, self._period_ms) for one in self._memory.generations[:-1])
        with self._showing:
            frozen = (*self._memory.frozen, *cut)
            self._memory = _Memory(frozen, self._memory.generations[-1:])
        failures = []
        for start_ms in sorted({start for one in frozen for start in one.periods()}):
            try:
                written = write_period(self.files, start_ms, frozen, sequence)
                self._show(written, start_ms)
            except (OSError, StoreDamagedError) as error:
                failures.append(f"the segment of {start_ms}: {error}")
        if failures:
            raise StorageError(
                "hot data could not be moved into segments and stays in the log: "
                + "; ".join(failures)
            )

    def merge(self, *, closed_before_ns: int, turn: Turn = nullcontext) -> bool:
        """Make one file of a few, if there are some to merge; return whether there were.

        It is done in steps, each inside of a `turn`.

        Raises StorageError; the files are then as they were.
        """
        with self._merging:
            some = merge_policy.choose(self.files.all(), closed_before_ns=closed_before_ns)
            if not some or not self.files.has_room(sum(file.size_bytes for file in some)):
                return False
            try:
                written = write_merged(self.files, some, self._reader.tables, turn)
                file = SampleFile.open(written.path)
                self._reader.know(file, written)
                replaced = self.files.replace(some, file)
                self._reader.keep_only(self.files.all())
                return replaced
            except StoreDamagedError:
                return any(file not in self.files.all() for file in some)
            except OSError as error:
                raise StorageError(
                    f"files of samples could not be merged and stay as they are: {error}"
                ) from error

    def _show(self, written: WrittenFile, start_ms: int) -> None:
        """Let the file of a period take the place of what memory has of it."""
        file = SampleFile.open(written.path)
        self._reader.know(file, written)
        with self._showing:
            self.files.add(file)
            rest = (one.without(start_ms) for one in self._memory.frozen)
            self._memory = replace(self._memory, frozen=tuple(one for one in rest if one.periods()))
        self._reader.keep_only(self.files.all())

    def _take(self, head: SampleHead, columns: SampleColumns) -> None:
        self._hot.samples.add(columns)
        self._admission.remember(columns.ids, columns.times_ms, columns.values)
        self.samples += len(columns)
        found = [(self._hot.index.labels(one), exemplar) for one, exemplar in head.exemplars]
        self._hot.exemplars.extend(found)
        self._newest_exemplars.remember(found)
        if head.metadata:
            self._metadata = self._metadata | {one.name: one for one in head.metadata}

    def _sources(self) -> Sources:
        with self._showing:
            files, memory = self.files.all(), self._memory
        return Sources(files, list(self._in_memory(memory)), self._indexing)

    def _in_memory(self, memory: _Memory) -> Iterator[MemorySource]:
        for one in memory.frozen:
            yield MemorySource(one.index, tuple(itertools.chain.from_iterable(one.blocks.values())))
        for generation in memory.generations:
            yield MemorySource(generation.index, generation.samples.blocks())

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
