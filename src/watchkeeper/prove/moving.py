"""All declared signals at once, all of them moving, and what may be asked of them."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from watchkeeper.errors import QueryError
from watchkeeper.model import MetricType
from watchkeeper.promql import Engine, parse, selectors
from watchkeeper.promql.syntax import Expression, VectorSelector
from watchkeeper.prove.declared import Declared
from watchkeeper.prove.motion import Motion, Phase, Sampling, State, Stream
from watchkeeper.prove.recordings import Recordings
from watchkeeper.prove.shape import mentioned_labels, reach_ms
from watchkeeper.prove.source import SynthesisedSeries
from watchkeeper.prove.streams import streams_of
from watchkeeper.prove.subject import Subject

GAP_MS = 15_000
INSTANCES = 2


class Moving:
    """Answers queries from what is declared, every series of which moves at its own rate.

    Recorded series are read through: their rules stand in their place.
    """

    def __init__(self, subject: Subject) -> None:
        self._declared: Declared = subject.declared
        self._recordings: Recordings = subject.recordings
        self._clock = subject.clock

    def values(self, expression: Expression) -> NDArray[np.float64]:
        """Return every value that an expression gives at the end. Raises QueryError."""
        inlined = self._recordings.inlined(expression, short=True)
        moment_ms, source = self._source(inlined)
        result = Engine(source, clock=self._clock).instant(inlined, moment_ms)
        found: NDArray[np.float64] = result.values[result.present]
        return found

    def why_nothing(self, selector: VectorSelector) -> str:
        """Return why a selector can find nothing; empty if it can."""
        if self._recordings.needed(selector):
            return ""
        return self._declared.why_nothing(selector)

    def label_values(self, metric: str, label: str) -> list[str]:
        """Return the values of a label, as Grafana's label_values() asks for them."""
        if not metric:
            names = [
                name for name, one in self._declared.metrics.items() if label in one.label_names
            ]
            metric = names[0] if names else "up"
        try:
            expression = parse(metric)
        except QueryError:
            return []
        inlined = self._recordings.inlined(expression, short=True)
        moment_ms, source = self._source(inlined)
        result = Engine(source, clock=self._clock).instant(inlined, moment_ms)
        return sorted({dict(own)[label] for own in result.labels if label in dict(own)})

    def results(self, query: str) -> list[str]:
        """Return a text for every result, as Grafana's query_result() lists them."""
        try:
            return [str(value) for value in self.values(parse(query))]
        except QueryError:
            return []

    def names(self, pattern: str) -> list[str]:
        """Return the metrics whose names hold a pattern."""
        return [name for name in self._declared.metrics if re.search(pattern, name)]

    def _source(self, inlined: Expression) -> tuple[int, SynthesisedSeries]:
        mentioned = mentioned_labels(inlined)
        for selector in selectors(inlined):
            metric = self._declared.metrics.get(selector.metric_name)
            mentioned |= set(metric.label_names) if metric else set()
        streams = streams_of(inlined, self._declared, mentioned, INSTANCES, 1)
        state: State = {
            stream: _own_motion(stream, number + 1) for number, stream in enumerate(streams.all)
        }
        samples = reach_ms(inlined) // GAP_MS + 8
        phases = [Phase(state, samples)]
        return samples * GAP_MS, SynthesisedSeries(phases, Sampling(GAP_MS, GAP_MS // 3))


def _own_motion(stream: Stream, number: int) -> Motion:
    match stream.kind:
        case MetricType.GAUGE:
            return Motion(value=float(number))
        case MetricType.HISTOGRAM:
            return Motion(increments=tuple(float(number) for _ in (*stream.buckets, 0)))
    return Motion(increments=(float(number),))
