"""What series do over time: states that last for a number of samples, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.model import METRIC_NAME, STALE_BITS, Labels, MetricType
from watchkeeper.wire.family import format_bound

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stream:
    """One series that a contract allows, or one label set of a histogram with all its buckets.

    `name` is the sample's, or the histogram's own; `buckets` are its finite bounds.
    """

    name: str
    kind: MetricType
    labels: Labels
    buckets: tuple[float, ...] = ()

    @property
    def is_counted(self) -> bool:
        """Whether it only grows."""
        return self.kind is not MetricType.GAUGE


@dataclass(frozen=True, slots=True)
class Motion:
    """What a stream does while a state lasts.

    A counter grows by `increments[0]` a sample, a histogram by one increment a bucket, +Inf
    last. A gauge comes to `value` at the end, by `drift` a sample, so that what a forecast says
    then does not depend on how long it drifted; one that follows the clock shows the time less
    `value` seconds.
    """

    value: float = 0.0
    increments: tuple[float, ...] = ()
    drift: float = 0.0
    follows_clock: bool = False


State = Mapping[Stream, Motion]
"""What every stream does; one that is missing has no series."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A state that lasts `samples` samples. The counters in `restarts` begin it at zero."""

    state: State
    samples: int
    restarts: frozenset[Stream] = frozenset()


@dataclass(frozen=True, slots=True)
class Sampling:
    """When samples are taken: every `gap_ms`, the first `offset_ms` after the epoch."""

    gap_ms: int
    offset_ms: int = 0

    def times_ms(self, count: int) -> NDArray[np.int64]:
        """Return the moments of the first `count` samples."""
        return self.offset_ms + self.gap_ms * np.arange(count, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Samples:
    """One series as it is put in; NaN where it has no sample, with a stale marker at the end."""

    labels: Labels
    values: Floats


def written_out(phases: Sequence[Phase], sampling: Sampling) -> list[Samples]:
    """Return the series that phases come to, sorted by label set."""
    streams = dict.fromkeys(stream for phase in phases for stream in phase.state)
    count = sum(phase.samples for phase in phases)
    times = sampling.times_ms(count) / 1000
    found = [one for stream in streams for one in _series(stream, phases, times)]
    return sorted(found, key=lambda one: one.labels)


def stale() -> float:
    """Return the stale marker."""
    return float(np.array(STALE_BITS, dtype=np.int64).view(np.float64))


def _series(stream: Stream, phases: Sequence[Phase], times: Floats) -> Iterator[Samples]:
    present = np.repeat(
        [stream in phase.state for phase in phases], [phase.samples for phase in phases]
    )
    match stream.kind:
        case MetricType.GAUGE:
            rows = {stream.name: ((), _gauge(stream, phases, times))}
            yield from _named(stream, rows, present)
        case MetricType.HISTOGRAM:
            counts = np.cumsum(_counted(stream, phases, len(stream.buckets) + 1), axis=0)
            yield from _named(stream, _histogram(stream, counts, phases), present)
        case _:
            yield from _named(stream, {stream.name: ((), _counted(stream, phases, 1)[0])}, present)


def _gauge(stream: Stream, phases: Sequence[Phase], times: Floats) -> Floats:
    values = np.zeros(len(times))
    at = 0
    for phase in phases:
        motion = phase.state.get(stream)
        if motion is not None:
            stretch = slice(at, at + phase.samples)
            values[stretch] = motion.value + motion.drift * np.arange(1 - phase.samples, 1)
            if motion.follows_clock:
                values[stretch] = times[stretch] - motion.value
        at += phase.samples
    return values


def _counted(stream: Stream, phases: Sequence[Phase], width: int) -> Floats:
    """Return running totals, one row a bucket."""
    still = np.zeros((width, 1))
    grown = [
        np.repeat(
            np.array(motion.increments)[:, None]
            if (motion := phase.state.get(stream)) and motion.increments
            else still,
            phase.samples,
            axis=1,
        )
        for phase in phases
    ]
    totals: Floats = np.cumsum(np.concatenate(grown, axis=1), axis=1)
    at = 0
    for phase in phases:
        if stream in phase.restarts and at:
            totals[:, at:] -= totals[:, at - 1 : at]
        at += phase.samples
    return totals


def _histogram(
    stream: Stream, cumulative: Floats, phases: Sequence[Phase]
) -> dict[str, tuple[tuple[tuple[str, str], ...], Floats]]:
    rows: dict[str, tuple[tuple[tuple[str, str], ...], Floats]] = {}
    bounds = [*stream.buckets, float("inf")]
    for bound, row in zip(bounds, cumulative, strict=True):
        le = format_bound(bound)
        rows[f"{stream.name}_bucket {le}"] = ((("le", le),), row)
    rows[f"{stream.name}_count"] = ((), cumulative[-1])
    apart = np.diff(cumulative, axis=0, prepend=0.0)
    rows[f"{stream.name}_sum"] = ((), np.array(observed(stream.buckets)) @ apart)
    return rows


def observed(buckets: Sequence[float]) -> list[float]:
    """Return the size of an observation that each bucket stands for: its upper bound."""
    return [*buckets, 2 * buckets[-1]]


def _named(
    stream: Stream,
    rows: Mapping[str, tuple[tuple[tuple[str, str], ...], Floats]],
    present: NDArray[np.bool_],
) -> Iterator[Samples]:
    vanishes = np.flatnonzero(present[:-1] & ~present[1:]) + 1
    for name, (extra, values) in rows.items():
        shown = np.where(present, values, np.nan)
        shown[vanishes] = stale()
        pairs = (*stream.labels, *extra, (METRIC_NAME, name.partition(" ")[0]))
        yield Samples(tuple(sorted(pairs)), shown)
