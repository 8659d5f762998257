"""Which exemplars are news, and how they are chosen and grouped again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from watchkeeper.matching import fulfils, predicates
from watchkeeper.model import Exemplar, Labels, Matcher

SeriesExemplar = tuple[Labels, Exemplar]


class NewestExemplars:
    """Remembers the newest exemplar of each series.

    A target shows an exemplar with every scrape until it has another, so one is news only if
    it is later than the last and is not the same (Prometheus, tsdb/exemplar.go).
    """

    def __init__(self) -> None:
        self._newest: dict[Labels, Exemplar] = {}

    def news(self, found: Iterable[SeriesExemplar]) -> list[SeriesExemplar]:
        """Return those that are news, in their order; nothing is remembered yet."""
        seen: dict[Labels, Exemplar] = {}
        news = []
        for labels, exemplar in found:
            last = seen.get(labels) or self._newest.get(labels)
            if last is None or _follows(exemplar, last):
                seen[labels] = exemplar
                news.append((labels, exemplar))
        return news

    def remember(self, found: Iterable[SeriesExemplar]) -> None:
        """Note exemplars that were kept, in their order."""
        self._newest.update(found)

    def forget(self, labels: Iterable[Labels]) -> None:
        """Drop what is known of series that are gone."""
        for one in labels:
            self._newest.pop(one, None)


def choose(
    found: Iterable[SeriesExemplar], matchers: Sequence[Matcher], start_ms: int, end_ms: int
) -> list[SeriesExemplar]:
    """Return those of matching series within a range."""
    tests = predicates(matchers)
    return [
        (labels, exemplar)
        for labels, exemplar in found
        if start_ms <= exemplar.timestamp_ms <= end_ms and fulfils(labels, tests)
    ]


def group(found: Iterable[SeriesExemplar]) -> list[tuple[Labels, list[Exemplar]]]:
    """Return exemplars by series, both sorted."""
    by_series: dict[Labels, list[Exemplar]] = {}
    for labels, exemplar in found:
        by_series.setdefault(labels, []).append(exemplar)
    return [
        (labels, sorted(by_series[labels], key=lambda one: one.timestamp_ms))
        for labels in sorted(by_series)
    ]


def _follows(exemplar: Exemplar, last: Exemplar) -> bool:
    same = (exemplar.labels, exemplar.value) == (last.labels, last.value)
    return exemplar.timestamp_ms > last.timestamp_ms and not same
