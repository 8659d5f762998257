"""What the backend says about itself on /metrics, gathered when it is asked."""

from __future__ import annotations

import asyncio
import os
import resource
from bisect import bisect_left
from collections import Counter as Count
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock

from starlette.requests import Request
from starlette.responses import Response

from watchkeeper.backend import Backend
from watchkeeper.contract import DURATION_BUCKETS, Metric
from watchkeeper.conventions import backend as own
from watchkeeper.ingest import Refusal, Signal
from watchkeeper.model import Labels, MetricType
from watchkeeper.wire.exposition import encode
from watchkeeper.wire.family import FamilySample, MetricFamily, format_bound

_HEALTH = own.TARGETS.labels[1].values
Row = tuple[tuple[str, ...], float]


class RequestCounts:
    """Requests answered, by protocol: how many by status, how long by bucket."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: Count[tuple[str, str]] = Count()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: Count[str] = Count()

    def count_request(self, protocol: str, status: int, seconds: float) -> None:
        with self._lock:
            self._answers[protocol, str(status)] += 1
            self._seconds[protocol] += seconds  # type: ignore[assignment] # a Counter of floats
            buckets = self._buckets.setdefault(protocol, [0] * (len(DURATION_BUCKETS) + 1))
            buckets[bisect_left(DURATION_BUCKETS, seconds)] += 1

    def families(self) -> Iterator[MetricFamily]:
        """Yield both metrics as they stand."""
        with self._lock:
            answers = dict(self._answers)
            durations = {
                protocol: (list(buckets), float(self._seconds[protocol]))
                for protocol, buckets in self._buckets.items()
            }
        yield family(own.REQUESTS, ((pair, count) for pair, count in sorted(answers.items())))
        samples = [
            sample
            for protocol, (buckets, seconds) in sorted(durations.items())
            for sample in _histogram((("protocol", protocol),), buckets, seconds)
        ]
        declared = own.REQUEST_DURATION
        yield MetricFamily(
            declared.name, declared.type, declared.help, declared.unit, tuple(samples)
        )


class OwnMetrics:
    """The answer to GET /metrics."""

    def __init__(self, backend: Backend, requests: RequestCounts) -> None:
        self._backend = backend
        self._requests = requests

    async def answer(self, request: Request) -> Response:
        accept = request.headers.get("accept", "")
        # Not in the threads of the readers: when these are all taken, this tells.
        body, content_type = await asyncio.to_thread(lambda: encode(self.families(), accept))
        return Response(body, headers={"content-type": content_type})

    def families(self) -> Iterator[MetricFamily]:
        """Yield every metric of the backend."""
        yield from self._requests.families()
        yield from self._intake()
        yield from self._store()
        yield from self._scraping()
        yield from self._evaluation()
        yield from self._notifying()
        yield from _process()
        yield family(own.RELOAD_OK, [((), float(not self._backend.reload_error))])

    def _intake(self) -> Iterator[MetricFamily]:
        received = Count({signal.value: 0 for signal in Signal})
        refused = Count({(signal.value, why.value): 0 for signal in Signal for why in Refusal})
        backend = self._backend
        for part in (
            *(backend.scraper, backend.receiver),
            *(backend.remote_write, backend.bulk, backend.tailer),
        ):
            statistics = part.statistics()
            received.update({k.value: n for k, n in statistics.received.items()})
            refused.update({(k.value, why.value): n for (k, why), n in statistics.refused.items()})
        yield family(own.RECEIVED, (((signal,), n) for signal, n in sorted(received.items())))
        yield family(own.REFUSED, sorted(refused.items()))
        yield family(own.LIMITED, sorted(backend.quotas.exceeded().items()))

    def _store(self) -> Iterator[MetricFamily]:
        stats = self._backend.store.stats()
        kept = {"samples": stats.samples, "logs": stats.logs, "spans": stats.spans}
        yield family(own.STORED, (((signal,), n) for signal, n in kept.items()))
        yield family(own.SERIES, [((), stats.series)])
        yield family(own.HOT_BYTES, [((), stats.hot_bytes)])
        yield family(own.DISK_BYTES, (((k,), n) for k, n in sorted(stats.bytes_on_disk.items())))
        refused = dict.fromkeys(own.STORE_REFUSED.labels[0].values, 0) | stats.refused
        yield family(own.STORE_REFUSED, (((why,), n) for why, n in refused.items()))
        for declared, number in (
            (own.HOT_LIMIT_BYTES, stats.hot_limit_bytes),
            (own.LAG, stats.lag_seconds),
            (own.BATCHES, stats.batches),
            (own.BATCH_SECONDS, stats.batch_seconds),
            (own.BATCHES_WAITING, stats.batches_waiting),
            (own.DISK_FREE, stats.disk_free_bytes),
            (own.DISK_SIZE, stats.disk_size_bytes),
            (own.FLUSHES, stats.flushes),
            (own.FLUSH_FAILURES, stats.flush_failures),
            (own.FLUSH_SECONDS, stats.flush_seconds),
            (own.MERGES, stats.merges),
            (own.MERGE_FAILURES, stats.merge_failures),
            (own.MERGE_SECONDS, stats.merge_seconds),
            (own.DAMAGE, len(stats.damage)),
        ):
            yield family(declared, [((), number)])

    def _notifying(self) -> Iterator[MetricFamily]:
        counts = {**dict.fromkeys(own.NOTIFICATION_WAYS, 0), **self._backend.notifier.deliveries()}
        yield family(own.NOTIFICATIONS, sorted(counts.items()))

    def _scraping(self) -> Iterator[MetricFamily]:
        found = self._backend.targets()
        targets = Count(
            {(job, health): 0 for job in {target.job for target in found} for health in _HEALTH}
        )
        # What starts together with the backend is not down when its first scrape comes too soon.
        targets.update(
            (target.job, "unknown" if target.starting else target.health) for target in found
        )
        yield family(own.TARGETS, sorted(targets.items()))

    def _evaluation(self) -> Iterator[MetricFamily]:
        groups = self._backend.evaluator.statistics()
        yield family(own.EVALUATIONS, (((g.name,), g.evaluations) for g in groups))
        yield family(own.EVALUATION_FAILURES, (((g.name,), g.failures) for g in groups))
        yield family(own.EVALUATIONS_MISSED, (((g.name,), g.missed) for g in groups))
        yield family(
            own.EVALUATION_DURATION, (((g.name,), g.last_duration_seconds) for g in groups)
        )
        yield family(own.EVALUATION_TIME, (((g.name,), g.last_evaluation_ns / 1e9) for g in groups))


def family(declared: Metric, rows: Iterable[Row]) -> MetricFamily:
    """Return a declared counter or gauge with a value for each of its label values."""
    suffix = "_total" if declared.type is MetricType.COUNTER else ""
    samples = tuple(
        FamilySample(suffix, tuple(zip(declared.label_names, values, strict=True)), float(number))
        for values, number in rows
    )
    name = declared.name.removesuffix(suffix)
    return MetricFamily(name, declared.type, declared.help, declared.unit, samples)


def _histogram(labels: Labels, buckets: list[int], seconds: float) -> Iterator[FamilySample]:
    so_far = 0
    for bound, count in zip((*DURATION_BUCKETS, float("inf")), buckets, strict=True):
        so_far += count
        yield FamilySample("_bucket", (*labels, ("le", format_bound(bound))), so_far)
    yield FamilySample("_count", labels, so_far)
    yield FamilySample("_sum", labels, seconds)


def _process() -> Iterator[MetricFamily]:
    """Yield what the system knows of this process, under the names that Prometheus' clients use."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield family(own.MEMORY, [((), pages * os.sysconf("SC_PAGE_SIZE"))])
    yield family(own.CPU, [((), usage.ru_utime + usage.ru_stime)])
    yield family(own.OPEN_FILES, [((), sum(1 for _ in Path("/proc/self/fd").iterdir()))])
