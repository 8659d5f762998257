"""From one target's expositions to batches: relabelled, limited, with staleness markers.

Source of the rules: Prometheus 3, scrape/scrape.go. A series that a scrape no longer shows gets
a stale marker at that scrape's time; a target that cannot be scraped gets one for everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from watchkeeper.ingest.config import ScrapeConfig
from watchkeeper.ingest.fetch import Fetched, ScrapeLimitError
from watchkeeper.ingest.relabel import Relabeler
from watchkeeper.ingest.sample_intake import by_row, starts_by_row
from watchkeeper.ingest.target import SeriesLabeler, Target
from watchkeeper.model import (
    METRIC_NAME,
    STALE_BITS,
    Exemplar,
    Labels,
    MetricMetadata,
    SampleBatch,
    labels,
)
from watchkeeper.wire import exposition
from watchkeeper.wire.family import ParsedExposition
from watchkeeper.wire.native_histogram import InvalidHistogramError, with_most_buckets
from watchkeeper.wire.protobuf_parse import HistogramChoice
from watchkeeper.wire.series import SeriesCache

REPORT_NAMES = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
EXTRA_REPORT_NAMES = (
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
)
"""With extra_scrape_metrics."""


@dataclass(frozen=True, slots=True)
class Scraped:
    """One scrape, ready to be stored, and what the next one must be compared with."""

    batch: SampleBatch
    present: dict[Labels, None]
    samples: int
    labels: list[Labels] | None = None


class TargetSamples:
    """Makes batches of one target's scrapes. `keep` once a batch is stored."""

    def __init__(self, job: ScrapeConfig, target: Target, relabeler: Relabeler) -> None:
        self._job = job
        legacy = job.metric_name_validation_scheme == "legacy"
        labeler = SeriesLabeler(target.labels, job.honor_labels, relabeler, legacy)
        self._series = SeriesCache(labeler)
        self._histograms = HistogramChoice(
            native=bool(job.scrape_native_histograms),
            classic_too=bool(job.always_scrape_classic_histograms),
        )
        self._bytes = 0
        self._present: dict[Labels, None] = {}
        self._labels: list[Labels] | None = None
        self._exemplars: dict[Labels, Exemplar] = {}
        self._metadata: dict[str, MetricMetadata] = {}
        names = REPORT_NAMES + EXTRA_REPORT_NAMES if job.extra_scrape_metrics else REPORT_NAMES
        self._reports = [labels({**dict(target.labels), METRIC_NAME: name}) for name in names]
        self._extra = (target.timeout_seconds, float(job.sample_limit))

    def of_answer(self, answer: Fetched, start_ms: int) -> ParsedExposition:
        """Return what a target answered, labelled. Raises DecodeError, or ScrapeLimitError for
        a limit that the job sets."""
        parsed = exposition.parse(
            answer.body, answer.media_type, start_ms, self._series, self._histograms
        )
        self._check_limits(parsed)
        self._bytes = len(answer.body)
        return parsed

    def of_success(self, parsed: ParsedExposition, start_ms: int, duration: float) -> Scraped:
        """Return the batch of a scrape that began at `start_ms` and took `duration` seconds."""
        times = parsed.timestamps_ms
        if parsed.labels is self._labels:
            # A page of the same shape: nothing came and nothing went.
            vanished, added, present = [], 0, self._present
        else:
            present = self._present_of(parsed)
            vanished = [series for series in self._present if series not in present]
            added = sum(series not in self._present for series in present)
        if not self._job.honor_timestamps:
            times = [start_ms] * len(times)
        count = len(parsed.labels)
        found = [1.0, duration, float(parsed.received), float(count), float(added)]
        report = self._report(found, self._bytes)
        batch = _batch(parsed, times, vanished, self._reports, report, start_ms)
        batch.exemplars.extend(self._new_exemplars(parsed.exemplars))
        batch.metadata.extend(self._new_metadata(parsed.metadata))
        return Scraped(batch, present, count, parsed.labels)

    def _present_of(self, parsed: ParsedExposition) -> dict[Labels, None]:
        """Return the series that will be stale once they are not there any more."""
        present = dict.fromkeys(parsed.labels)
        if self._job.honor_timestamps and not self._job.track_timestamps_staleness:
            for row in parsed.timed:
                present.pop(parsed.labels[row], None)
        return present

    def of_failure(self, start_ms: int, duration: float) -> Scraped:
        """Return the batch that says that the target is down."""
        report = self._report([0.0, duration, 0.0, 0.0, 0.0], -1)
        gone = list(self._present)
        batch = _batch(ParsedExposition(), [], gone, self._reports, report, start_ms)
        return Scraped(batch, {}, 0)

    def of_end(self, end_ms: int) -> SampleBatch:
        """Return stale markers for all of it: the target is no longer one."""
        gone = [*self._present, *self._reports]
        return _batch(ParsedExposition(), [], gone, [], [], end_ms)

    def succeed(self, before: TargetSamples) -> None:
        """Go on where others of this target stopped: what they showed last may vanish now."""
        self._present = before._present

    def keep(self, scraped: Scraped) -> None:
        """Remember that a scrape was stored."""
        self._present = scraped.present
        self._labels = scraped.labels
        for series, exemplar in scraped.batch.exemplars:
            self._exemplars[series] = exemplar
        for metadata in scraped.batch.metadata:
            self._metadata[metadata.name] = metadata

    def _report(self, found: list[float], body_bytes: int) -> list[float]:
        """Return the values of the scrape's own series; of a body that never came, -1 bytes."""
        if len(self._reports) == len(found):
            return found
        return [*found, *self._extra, float(body_bytes)]

    def _new_exemplars(
        self, found: Iterable[tuple[Labels, Exemplar]]
    ) -> list[tuple[Labels, Exemplar]]:
        return [item for item in found if self._exemplars.get(item[0]) != item[1]]

    def _new_metadata(self, found: Iterable[MetricMetadata]) -> list[MetricMetadata]:
        return [item for item in found if self._metadata.get(item.name) != item]

    def _check_limits(self, parsed: ParsedExposition) -> None:
        job = self._job
        for row, histogram in parsed.histograms.items():
            try:
                parsed.histograms[row] = with_most_buckets(
                    histogram,
                    job.native_histogram_bucket_limit,
                    job.native_histogram_min_bucket_factor,
                )
            except InvalidHistogramError:
                limit = job.native_histogram_bucket_limit
                reason = f"native_histogram_bucket_limit is {limit}"
                name = dict(parsed.labels[row]).get(METRIC_NAME, "")
                raise ScrapeLimitError(f"series {name}: {reason}") from None
        if job.sample_limit and len(parsed.labels) > job.sample_limit:
            raise ScrapeLimitError(
                f"{len(parsed.labels)} samples: sample_limit is {job.sample_limit}"
            )
        if not (job.label_limit or job.label_name_length_limit or job.label_value_length_limit):
            return
        for series in parsed.labels:
            problem = _broken_limit(series, job)
            if problem:
                raise ScrapeLimitError(f"series {dict(series).get(METRIC_NAME, '')}: {problem}")


def _broken_limit(series: Labels, job: ScrapeConfig) -> str:
    if job.label_limit and len(series) > job.label_limit:
        return f"{len(series)} labels, label_limit is {job.label_limit}"
    for name, value in series:
        if job.label_name_length_limit and len(name.encode()) > job.label_name_length_limit:
            return f"label {name[:40]}: label_name_length_limit is {job.label_name_length_limit}"
        if job.label_value_length_limit and len(value.encode()) > job.label_value_length_limit:
            return f"label {name[:40]}: label_value_length_limit is {job.label_value_length_limit}"
    return ""


def _batch(
    parsed: ParsedExposition,
    times: list[int],
    stale: list[Labels],
    reports: list[Labels],
    report: list[float],
    now_ms: int,
) -> SampleBatch:
    found, values = parsed.labels, parsed.values
    rows = len(found)
    total = rows + len(stale) + len(reports)
    timestamps = np.full(total, now_ms, dtype=np.int64)
    timestamps[:rows] = times
    column = np.empty(total, dtype=np.float64)
    column[:rows] = values
    column[rows : rows + len(stale)].view(np.uint64)[:] = STALE_BITS
    column[rows + len(stale) :] = report
    return SampleBatch(
        [*found, *stale, *reports],
        timestamps,
        column,
        histograms=by_row(parsed.histograms, total),
        starts_ms=starts_by_row(parsed.starts_ms, total),
    )
