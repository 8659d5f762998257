"""Questions to the rows of one signal, as they were at one moment, hot and cold."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from watchkeeper.errors import StoreDamagedError
from watchkeeper.storage import part_index
from watchkeeper.storage.engine import Cursor, Engine, EngineError
from watchkeeper.storage.open_parts import OpenParts
from watchkeeper.storage.part import Part
from watchkeeper.storage.part_index import Granule, Wanted
from watchkeeper.storage.row_table import RowTable
from watchkeeper.storage.tier_view import View

T = TypeVar("T")
Question = Callable[[Cursor, str], T]
"""Asks by a cursor, of the rows that a FROM names."""

POSITIONS_PER_BATCH_BITS = 24
"""A row's position has the sequence of its batch above these bits."""


class Source(Protocol):
    """What the rows are, who opens their parts, and who is told of parts that fail."""

    table: RowTable
    opened: OpenParts

    def lose(self, part: Part, error: EngineError | StoreDamagedError) -> None:
        """Set a part aside that cannot be read; raise the error if it can."""
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A part and some of its rows."""

    part: Part
    granule: Granule


class Asking:
    """Hot tables and parts as they were when the asking began."""

    def __init__(
        self, engine: Engine, source: Source, view: View, wanted: Sequence[Wanted]
    ) -> None:
        self._engine, self._source, self._view, self._wanted = engine, source, view, wanted

    def all(self, start_ns: int, end_ns: int, question: Question[T]) -> list[T]:
        """Ask everything that may hold times of the range, newest first."""
        answers = self.hot(question)
        for part in self.parts(start_ns, end_ns):
            answers += self.part(part, question)
        return answers

    def hot(self, question: Question[T]) -> list[T]:
        """Ask the hot tables, newest first, each for the FROM of a statement."""
        table = self._source.table
        with self._engine.cursor() as cursor:
            return [
                self._engine.with_memory(partial(question, cursor, table.hot_rows(one.name)))
                for one in self._view.hot
            ]

    def parts(self, start_ns: int, end_ns: int) -> list[Part]:
        """Return the parts that may hold times of the range, those with the newest first."""
        found = [
            part
            for part in self._view.parts
            if part.summary.first_ns <= end_ns and part.summary.last_ns >= start_ns
        ]
        return sorted(found, key=lambda part: part.summary.last_ns, reverse=True)

    def pieces(self, part: Part, start_ns: int, end_ns: int) -> list[Piece]:
        """Return the pieces of a part that may hold times of the range and what is wanted."""
        return [
            Piece(part, granule)
            for granule in self._granules(part)
            if granule.first_ns <= end_ns and granule.last_ns >= start_ns
        ]

    def part(self, part: Part, question: Question[T]) -> list[T]:
        """Ask a part, in one, of all that may be wanted; nothing if it is damaged."""
        if not self._wanted:
            return self._ask(part, "true", question)
        granules = self._granules(part)
        if not granules:
            return []
        return self._ask(part, _between(granules[0].first, granules[-1].end), question)

    def piece(self, piece: Piece, question: Question[T]) -> list[T]:
        """Ask a piece of a part; nothing if the part is damaged."""
        granule = piece.granule
        return self._ask(piece.part, _between(granule.first, granule.end), question)

    def _ask(self, part: Part, condition: str, question: Question[T]) -> list[T]:
        position = part.name.first_sequence << POSITIONS_PER_BATCH_BITS
        try:
            with self._source.opened.use(part) as catalog, self._engine.cursor() as cursor:
                rows = self._source.table.part_rows(catalog, position, condition)
                return [self._engine.with_memory(partial(question, cursor, rows))]
        except (EngineError, StoreDamagedError) as error:
            self._source.lose(part, error)
            return []

    def _granules(self, part: Part) -> list[Granule]:
        try:
            return part_index.granules(part.files[1], self._wanted)
        except (OSError, StoreDamagedError):
            summary = part.summary
            return [Granule(0, summary.rows, summary.first_ns, summary.last_ns)]


def neighbours_joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Return pieces of which those that follow one another in a part are one."""
    joined: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: (str(piece.part.name), piece.granule.first)):
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.part is piece.part
            and before.granule.end == piece.granule.first
        ):
            one, other = before.granule, piece.granule
            joined[-1] = Piece(
                piece.part,
                Granule(
                    one.first,
                    other.end,
                    min(one.first_ns, other.first_ns),
                    max(one.last_ns, other.last_ns),
                ),
            )
        else:
            joined.append(piece)
    return joined


def _between(first: int, end: int) -> str:
    return f"rowid BETWEEN {first} AND {end - 1}"


def listed(answers: Iterable[Iterable[T]]) -> list[T]:
    """Return what several answers have, one after the other."""
    return list(itertools.chain.from_iterable(answers))
