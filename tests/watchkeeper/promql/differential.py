"""Random queries over random series, asked of the engine and of Prometheus itself.

As a script it asks many: `python tests/watchkeeper/promql/differential.py QUERIES SEED`. Answers
are equal, or one of RULES, by which Prometheus 3 and 2 differ, says why they are not.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import grammar

import conftest as shelves
from resume_optimizer.devstack.ports import free_ports
from watchkeeper.errors import QueryError
from watchkeeper.promql import Engine, encode

STEPS = 6
BEGIN_MS = 1_767_225_600_000
START_MS = BEGIN_MS + 20 * 60_000
STEP_MS = 300_000
TOLERANCE = 1e-7
"""Prometheus 2 adds up without compensation and by other ways for some functions."""

Answer = dict[tuple[tuple[str, str], ...], dict[float, float]] | str


def series() -> shelves.Shelf:
    """Return the series that both are asked about."""
    found = shelves.Shelf()
    found.series = grammar.series(5, BEGIN_MS)
    return found


@contextmanager
def prometheus(shelf: shelves.Shelf, server: str, promtool: str, place: Path) -> Iterator[str]:
    """Give the address of a Prometheus that holds the same series, in the directory `place`."""
    (place / "series.om").write_text(openmetrics(shelf))
    (place / "prometheus.yml").write_text("scrape_configs: []\n")
    fill = [promtool, "tsdb", "create-blocks-from", "openmetrics"]
    subprocess.run([*fill, place / "series.om", place / "data"], check=True, capture_output=True)
    (port,) = free_ports(1)
    command = [
        server,
        f"--config.file={place / 'prometheus.yml'}",
        f"--storage.tsdb.path={place / 'data'}",
        "--storage.tsdb.retention.time=100y",
        "--enable-feature=promql-negative-offset,promql-at-modifier",
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
    for _ in range(1000):
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("Prometheus does not become ready")


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


@dataclass(frozen=True)
class Rule:
    """A way in which Prometheus 3 and 2 differ; `explains` looks at a query and both answers."""

    name: str
    reason: str
    explains: Callable[[str, Answer, Answer], bool]


def _same_labelset(query: str, mine: Answer, yours: Answer) -> bool:
    return any("same labelset" in one for one in (mine, yours) if isinstance(one, str))


def _deviation_of_nan(query: str, mine: Answer, yours: Answer) -> bool:
    concerned = "stddev" in query or "stdvar" in query
    known = not isinstance(mine, str) and not isinstance(yours, str)
    return concerned and known and agree(zeroed(mine), zeroed(yours))


def _doubles_before_comparing(query: str, mine: Answer, yours: Answer) -> bool:
    compares = any(f" {one} " in query for one in grammar.COMPARISONS)
    told = isinstance(mine, str) and "many-to-one matching must be explicit" in mine
    return compares and told


def _atan2(query: str, mine: Answer, yours: Answer) -> bool:
    known = not isinstance(mine, str) and not isinstance(yours, str)
    return " atan2 " in query and known and agree(nameless(mine), nameless(yours))


def _magnified(query: str, mine: Answer, yours: Answer) -> bool:
    known = not isinstance(mine, str) and not isinstance(yours, str)
    magnified = " % " in query or ("sin(" in query and " ^ " in query)
    return magnified and known and mine.keys() == yours.keys()


def _late_names(query: str, mine: Answer, yours: Answer) -> bool:
    known = not isinstance(mine, str) and not isinstance(yours, str)
    return " or " in query and known and agree(nameless(mine), nameless(yours))


RULES = (
    Rule(
        "names dropped late",
        "which series are the same is decided with their names in 3, without them in 2",
        _same_labelset,
    ),
    Rule(
        "deviation of a lone NaN",
        "the deviation of a single NaN is NaN in 3 and was 0 in 2",
        _deviation_of_nan,
    ),
    Rule(
        "doubles before comparing",
        "2 looks for doubles only among the pairs that a comparison keeps",
        _doubles_before_comparing,
    ),
    Rule(
        "magnified rounding",
        "remainders, and sines of powers, show that numbers end in other digits",
        _magnified,
    ),
    Rule("atan2", "3 drops the metric name, 2 kept it", _atan2),
    Rule(
        "names in `or`",
        "a series that is named on one side of `or` only is one series in 3 and two in 2",
        _late_names,
    ),
)


def rule_for(query: str, mine: Answer, yours: Answer) -> Rule | None:
    """Return the rule that explains why two answers differ."""
    return next((rule for rule in RULES if rule.explains(query, mine, yours)), None)


def zeroed(answer: dict) -> Answer:
    return {
        tuple(("value", "0") if pair == ("value", "NaN") else pair for pair in metric): {
            at: 0.0 if math.isnan(value) else value for at, value in values.items()
        }
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


@dataclass
class Tally:
    """What came of the queries that were asked."""

    asked: int = 0
    answered: int = 0
    refused: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)


def compare(shelf: shelves.Shelf, url: str, queries: Sequence[str]) -> Tally:
    """Ask both each query. An answer has samples; a refusal is refused by both."""
    tally = Tally()
    for query in queries:
        mine, yours = ours(shelf, query), theirs(url, query)
        tally.asked += 1
        tally.answered += bool(mine) and not isinstance(mine, str)
        tally.refused += isinstance(mine, str)
        if agree(mine, yours):
            continue
        rule = rule_for(query, mine, yours)
        if rule:
            tally.explained[rule.name] += 1
        else:
            shown = f"  ours:   {str(mine)[:300]}\n  theirs: {str(yours)[:300]}"
            tally.differing.append(f"{query}\n{shown}")
    return tally


def main() -> None:
    count, seed = (int(one) for one in sys.argv[1:3])
    server, promtool = shutil.which("prometheus"), shutil.which("promtool")
    if not server or not promtool:
        sys.exit("this needs prometheus and promtool; on Debian: apt-get install prometheus")
    made = grammar.Grammar(seed)
    shelf = series()
    with (
        tempfile.TemporaryDirectory() as place,
        prometheus(shelf, server, promtool, Path(place)) as url,
    ):
        tally = compare(shelf, url, [made.query() for _ in range(count)])
    lines = [
        f"{tally.asked} queries, {tally.answered} with samples, {tally.refused} refused by both",
        *(f"{tally.explained[rule.name]:6} {rule.name}: {rule.reason}" for rule in RULES),
        f"{len(tally.differing):6} differ",
        *tally.differing[:20],
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(bool(tally.differing))


if __name__ == "__main__":
    main()
