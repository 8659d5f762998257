"""Prometheus itself and the engine give the same answers, or a named rule says why not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import differential
import grammar
import pytest

import conftest as shelves
from watchkeeper.promql import parse

QUERIES = int(os.environ.get("DIFFERENTIAL_QUERIES", "2000"))
"""`make differential` asks more."""


@pytest.fixture(scope="module")
def shelf() -> shelves.Shelf:
    return differential.series()


@pytest.fixture(scope="module")
def prometheus(
    program: Callable[[str], str],
    shelf: shelves.Shelf,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The address of a Prometheus that holds the same series."""
    place = tmp_path_factory.mktemp("prometheus")
    with differential.prometheus(shelf, program("prometheus"), program("promtool"), place) as url:
        yield url


def test_the_grammar_makes_what_parses() -> None:
    made = grammar.Grammar(1)
    for _ in range(500):
        parse(made.query())


def test_prometheus_gives_the_same_answers(shelf: shelves.Shelf, prometheus: str) -> None:
    made = grammar.Grammar(int(os.environ.get("DIFFERENTIAL_SEED", "11")))
    tally = differential.compare(shelf, prometheus, [made.query() for _ in range(QUERIES)])
    assert tally.answered > QUERIES / 2
    assert tally.explained.total() < QUERIES / 20, "too much is explained away"
    shown = "\n".join(tally.differing[:5])
    assert not tally.differing, f"{len(tally.differing)} of {QUERIES} differ:\n{shown}"
