"""Random queries over random series, asked of the engine and of Prometheus itself."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator

import grammar
import pytest

import conftest as shelves
from watchkeeper.errors import QueryError
from watchkeeper.promql import Engine, encode

QUERIES = int(os.environ.get("DIFFERENTIAL_QUERIES", "400"))
STEPS = 6
BEGIN_MS = 1_767_225_600_000
START_MS = BEGIN_MS + 20 * 60_000
STEP_MS = 300_000
TOLERANCE = 1e-7
"""Prometheus 2 adds up without compensation and by other ways for some functions."""

Answer = dict[tuple[tuple[str, str], ...], dict[float, float]] | str


@pytest.fixture(scope="module")
def shelf() -> shelves.Shelf:
    found = shelves.Shelf()
    found.series = grammar.series(5, BEGIN_MS)
    return found


@pytest.fixture(scope="module")
def prometheus(
    program: Callable[[str], str],
    shelf: shelves.Shelf,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The address of a Prometheus that holds the same series."""
    server, promtool = program("prometheus"), program("promtool")
    place = tmp_path_factory.mktemp("prometheus")
    (place / "series.om").write_text(openmetrics(shelf))
    (place / "prometheus.yml").write_text("scrape_configs: []\n")
    fill = [promtool, "tsdb", "create-blocks-from", "openmetrics"]
    subprocess.run([*fill, place / "series.om", place / "data"], check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        server,
        f"--config.file={place / 'prometheus.yml'}",
        f"--storage.tsdb.path={place / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("Prometheus does not become ready")


def openmetrics(shelf: shelves.Shelf) -> str:
    lines = []
    for one in shelf.series:
        pairs = ",".join(f'{name}="{value}"' for name, value in one.labels[1:])
        head = f"{one.labels[0][1]}{{{pairs}}}"
        lines += [
            f"{head} {value} {moment / 1000:.3f}"
            for moment, value in zip(one.timestamps_ms.tolist(), one.values.tolist(), strict=True)
        ]
    return "\n".join([*lines, "# EOF\n"])


def ours(shelf: shelves.Shelf, query: str) -> Answer:
    try:
        result = Engine(shelf).range(query, START_MS, START_MS + (STEPS - 1) * STEP_MS, STEP_MS)
    except QueryError as error:
        return str(error)
    return by_labels(json.loads(encode(result)))


def theirs(url: str, query: str) -> Answer:
    parameters = {
        "query": query,
        "start": START_MS / 1000,
        "end": (START_MS + (STEPS - 1) * STEP_MS) / 1000,
        "step": STEP_MS / 1000,
    }
    address = f"{url}/api/v1/query_range?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return by_labels(json.load(answer)["data"])
    except urllib.error.HTTPError as error:
        return str(json.load(error)["error"])


def by_labels(data: dict) -> Answer:
    return {
        tuple(sorted(one["metric"].items())): {
            float(moment): float(value) for moment, value in one["values"]
        }
        for one in data["result"]
    }


def agree(mine: Answer, yours: Answer) -> bool:
    if isinstance(mine, str) or isinstance(yours, str):
        return isinstance(mine, str) and isinstance(yours, str)
    if mine.keys() != yours.keys():
        return False
    return all(
        mine[one].keys() == yours[one].keys()
        and all(near(mine[one][moment], yours[one][moment]) for moment in mine[one])
        for one in mine
    )


def explained(query: str, mine: Answer, yours: Answer) -> bool:
    """Tell whether Prometheus 3 and 2 answer a query differently by rule.

    `or` with delayed name removal: a series that is named on one side only is one series there,
    without its name, and two in Prometheus 2. Comparisons: Prometheus 2 looks for doubles only
    among the pairs that the comparison keeps. Names that go late or early also decide which
    series are the same. The deviation of a lone NaN was 0 in Prometheus 2 and is NaN in 3.
    """
    if any("same labelset" in one for one in (mine, yours) if isinstance(one, str)):
        return True
    if ("stddev" in query or "stdvar" in query) and not isinstance(mine, str):
        return not isinstance(yours, str) and agree(zeroed(mine), zeroed(yours))
    if isinstance(mine, str):
        compares = any(f" {one} " in query for one in grammar.COMPARISONS)
        return compares and "many-to-one matching must be explicit" in mine
    return " or " in query and not isinstance(yours, str) and agree(nameless(mine), nameless(yours))


def zeroed(answer: dict) -> Answer:
    return {
        metric: {at: 0.0 if math.isnan(value) else value for at, value in values.items()}
        for metric, values in answer.items()
    }


def nameless(answer: dict) -> Answer:
    found: dict = {}
    for metric, values in answer.items():
        rest = tuple(pair for pair in metric if pair[0] != "__name__")
        found.setdefault(rest, {}).update(values)
    return found


def near(left: float, right: float) -> bool:
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=1e-9)


def test_the_grammar_makes_what_parses() -> None:
    from watchkeeper.promql import parse

    made = grammar.Grammar(1)
    for _ in range(500):
        parse(made.query())


def test_prometheus_gives_the_same_answers(shelf: shelves.Shelf, prometheus: str) -> None:
    made = grammar.Grammar(int(os.environ.get("DIFFERENTIAL_SEED", "11")))
    queries = [made.query() for _ in range(QUERIES)]
    differing, answered, by_rule = [], 0, 0
    for query in queries:
        mine, yours = ours(shelf, query), theirs(prometheus, query)
        answered += bool(mine) and not isinstance(mine, str)
        if not agree(mine, yours):
            if explained(query, mine, yours):
                by_rule += 1
                continue
            differing.append(f"{query}\n  ours:   {str(mine)[:300]}\n  theirs: {str(yours)[:300]}")
    assert answered > QUERIES / 2
    assert by_rule < QUERIES / 20, "too much is explained away"
    assert not differing, f"{len(differing)} of {QUERIES} differ:\n" + "\n".join(differing[:5])
