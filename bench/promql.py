"""PromQL beside Prometheus: one set of series in both stores, each query asked of both over HTTP.

make bench-promql    prints the table and writes bench/out/promql.json

CPU is that of the whole process while it answers, read from its CPU clock; wall is the median of
the rounds. Samples lie a few seconds off the steps, since Prometheus 2 closes its windows on the
left and Prometheus 3, which Watchkeeper follows, does not.
"""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from watchkeeper.model import Labels, SampleBatch, labels
from watchkeeper.storage import Store

OUT = Path(__file__).parent / "out" / "promql.json"
GAP = 15
HOUR = 3600
LEAD = 600
"""Data before the first step, in seconds: no window lacks its beginning, which Prometheus 2
extrapolates otherwise."""
OFFSET_SECONDS = 4
TOLERANCE = 1e-9
RULE_SECONDS, ROUNDS_OF_RULES, IDLE_SECONDS = 2, 10, 10
WORTH_MS = 5.0
"""Below this much CPU a query is not worth comparing."""


@dataclass(frozen=True)
class Family:
    """Series of one metric and their values: shape (series, moments)."""

    labels: list[Labels]
    values: np.ndarray


@dataclass(frozen=True)
class Question:
    """One or more queries that are asked together."""

    name: str
    queries: tuple[str, ...]
    step: int = 0
    rounds: int = 2
    ties: bool = False
    """Of equal values any may be chosen: values are compared without their labels."""


@dataclass(frozen=True)
class Server:
    """A running server; its API answers under `url`."""

    name: str
    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time of all its threads (Linux: CPUCLOCK_SCHED of the process)."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def ask(self, path: str, **parameters: str) -> bytes:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=60) as answer:
            body: bytes = answer.read()
        return body


def families() -> list[Family]:
    random = np.random.default_rng(7)
    moments = (LEAD + HOUR) // GAP
    return [
        requests(random, moments),
        buckets(random, moments),
        gauges(random, moments),
        Family(
            [
                labels({"__name__": "service_info", "instance": f"i{i}", "version": f"v{i % 7}"})
                for i in range(500)
            ],
            np.ones((500, moments)),
        ),
        Family(
            [
                labels({"__name__": "inventory", "host": f"host-{i:05d}", "zone": f"z{i % 40}"})
                for i in range(20_000)
            ],
            random.integers(0, 100, (20_000, 10)).astype(np.float64),
        ),
    ]


def requests(random: np.random.Generator, moments: int) -> Family:
    names = [
        labels(
            {
                "__name__": "http_requests_total",
                "instance": f"i{i % 500}",
                "job": f"job{i % 10}",
                "code": code,
                "method": method,
            }
        )
        for i in range(500)
        for code in ("200", "201", "404", "500", "503")
        for method in ("GET", "POST")
    ]
    grown = random.integers(0, 40, (len(names), moments)).cumsum(axis=1).astype(np.float64)
    for row in range(0, len(names), 9):
        again = int(random.integers(10, moments))
        grown[row, again:] -= grown[row, again]
    return Family(names, grown)


def buckets(random: np.random.Generator, moments: int) -> Family:
    bounds = "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf".split()  # noqa: SIM905  shorter
    names, rows = [], []
    for i in range(1000):
        share = random.integers(0, 9, (len(bounds), moments)).cumsum(axis=0).cumsum(axis=1)
        for bound, row in zip(bounds, share, strict=True):
            pairs = {"__name__": "wait_seconds_bucket", "instance": f"i{i}", "job": f"job{i % 10}"}
            names.append(labels({**pairs, "le": bound}))
            rows.append(row)
    return Family(names, np.array(rows, dtype=np.float64))


def gauges(random: np.random.Generator, moments: int) -> Family:
    names = [
        labels({"__name__": "queue_depth", "queue": f"q{i}", "job": f"job{i % 10}"})
        for i in range(1000)
    ]
    return Family(names, np.round(random.gamma(2.0, 30.0, (1000, moments)), 3))


def questions() -> list[Question]:
    rate = "rate(http_requests_total[5m])"
    panels = (
        f"sum({rate})",
        f"sum by (code) ({rate})",
        'sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(' + rate + ")",
        "histogram_quantile(0.95, sum by (le) (rate(wait_seconds_bucket[5m])))",
        "histogram_quantile(0.5, sum by (le) (rate(wait_seconds_bucket[5m])))",
        'sum by (job) (rate(http_requests_total{method="POST"}[5m]))',
        "avg(queue_depth)",
        "max by (job) (queue_depth)",
        "topk(5, queue_depth)",
        "count(queue_depth > 100)",
        'sum(increase(http_requests_total{job="job3"}[10m]))',
        "count by (version) (service_info)",
    )
    return [
        Question(
            "five series, one hour", ('http_requests_total{instance="i7",method="GET"}',), 15, 20
        ),
        Question("rate, 5,000 series, 1 h", (f"sum({rate})",), 15),
        Question("sum by (job, code)", (f"sum by (job, code) ({rate})",), 15),
        Question(
            "histogram_quantile, 1,000 x 12",
            ("histogram_quantile(0.95, rate(wait_seconds_bucket[5m]))",),
            60,
        ),
        Question("ratio of two sums", (panels[2],), 15),
        Question(
            "one-to-one division, 5,000", ("count(http_requests_total / http_requests_total)",), 30
        ),
        Question("max_over_time, 5,000", ("max(max_over_time(http_requests_total[10m]))",), 15),
        Question("alert over 1,000 series", ("queue_depth > 100",), 0, 10),
        Question("subquery", (f"max_over_time(sum by (job) ({rate})[1801s:1m])",), 60),
        Question("topk", (f"topk(10, {rate})",), 30, ties=True),
        Question("quantile_over_time", ("quantile_over_time(0.9, queue_depth[10m])",), 60),
        Question("regex over 20,000", ('count(inventory{host=~".*7[0-9]|host-1.*"})',), 0, 10),
        Question("absent", ('absent(queue_depth{queue="none"})',), 15, 10),
        Question(
            "group_left",
            (f"sum by (instance) ({rate}) * on (instance) group_left (version) service_info",),
            60,
        ),
        Question("dashboard of 12 panels", panels, 30),
        Question("200 alert rules, over HTTP", rules(), 0, 3),
        Question("JSON of 5,000 x 240", ("http_requests_total",), 15),
    ]


def rules(at: str = "") -> tuple[str, ...]:
    """Return 200 conditions, looked at `at` a moment where one is given."""
    errors = 'http_requests_total{job="job%d",code="500"}'
    return tuple(
        text
        for n in range(50)
        for text in (
            f'queue_depth{{job="job{n % 10}"}}{at} > {40 + n}',
            f"sum by (job) (rate({errors % (n % 10)}[5m]{at})) > {n}",
            f'absent(queue_depth{{queue="q{n}"}}{at})',
            f'max_over_time(queue_depth{{queue="q{n}"}}[10m]{at}) > 200',
        )
    )


def fill_watchkeeper(directory: Path, data: list[Family], begin: int) -> None:
    store = Store.open(directory)
    for family in data:
        for moment in range(family.values.shape[1]):
            at_ms = (begin + OFFSET_SECONDS + moment * GAP) * 1000
            times = np.full(len(family.labels), at_ms, dtype=np.int64)
            values = np.ascontiguousarray(family.values[:, moment])
            store.metrics.append(SampleBatch(family.labels, times, values))
    store.flush()
    store.close()


def fill_prometheus(directory: Path, data: list[Family], begin: int) -> None:
    text = directory.with_suffix(".om")
    with text.open("w") as file:
        for family in data:
            times = [begin + OFFSET_SECONDS + n * GAP for n in range(family.values.shape[1])]
            for metric, row in zip(family.labels, family.values.tolist(), strict=True):
                pairs = ",".join(f'{name}="{value}"' for name, value in metric[1:])
                head = f"{metric[0][1]}{{{pairs}}} "
                file.writelines(
                    f"{head}{value} {at}\n" for value, at in zip(row, times, strict=True)
                )
        file.write("# EOF\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(directory)]
    subprocess.run(command, check=True, capture_output=True)
    text.unlink()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(name: str, command: list[str], url: str) -> Iterator[Server]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            server = Server(name, url, process.pid)
            for _ in range(150):
                try:
                    server.ask("query", query="1")
                    break
                except OSError:
                    time.sleep(0.2)
            else:
                log.seek(0)
                raise RuntimeError(f"{name} does not answer: {log.read()[-2000:]!r}")
            yield server
        finally:
            process.terminate()
            process.wait()


def fill(place: Path, data: list[Family], begin: int) -> None:
    """Put the data into both stores and write the files that both servers read."""
    fill_watchkeeper(place / "watchkeeper", data, begin)
    fill_prometheus(place / "prometheus", data, begin)
    (place / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    alerts = [
        {"alert": f"Bench{n}", "expr": text}
        for n, text in enumerate(rules(f" @ {begin + LEAD + HOUR - GAP}"))
    ]
    groups = [{"name": "bench", "interval": f"{RULE_SECONDS}s", "rules": alerts}]
    (place / "rules.json").write_text(json.dumps({"groups": groups}))
    (place / "idle.yml").write_text("scrape_configs: []\n")
    (place / "rules.yml").write_text(f"rule_files: [{place / 'rules.json'}]\n")


@contextmanager
def both(place: Path, configuration: str) -> Iterator[tuple[Server, Server]]:
    """Run both servers on what `fill` wrote."""
    one, other = free_port(), free_port()
    with (
        running(
            "watchkeeper",
            [
                str(Path(sys.executable).with_name("watchkeeper")),
                "run",
                f"--config={place / configuration}",
                f"--alertmanager={place / 'alertmanager.yml'}",
                f"--data={place / 'watchkeeper'}",
                f"--dashboards={place}",
                f"--port={one}",
            ],
            f"http://127.0.0.1:{one}/prometheus",
        ) as watchkeeper,
        running(
            "prometheus",
            [
                "prometheus",
                f"--config.file={place / configuration}",
                f"--storage.tsdb.path={place / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{other}",
            ],
            f"http://127.0.0.1:{other}",
        ) as prometheus,
    ):
        yield watchkeeper, prometheus


def asked(server: Server, question: Question, begin: int) -> list[bytes]:
    start, end = begin + LEAD, begin + LEAD + HOUR
    if question.step:
        bounds = {"start": str(start), "end": str(end - GAP), "step": str(question.step)}
        return [server.ask("query_range", query=one, **bounds) for one in question.queries]
    moment = begin + 20 * GAP if "inventory" in question.queries[0] else end - GAP
    return [server.ask("query", query=one, time=str(moment)) for one in question.queries]


def measured(server: Server, question: Question, begin: int) -> tuple[float, float, list[bytes]]:
    """Return CPU and wall milliseconds and the answers."""
    answers = asked(server, question, begin)
    cpu, walls = server.cpu_seconds(), []
    for _ in range(question.rounds):
        started = time.perf_counter()
        asked(server, question, begin)
        walls.append(time.perf_counter() - started)
    cpu = (server.cpu_seconds() - cpu) / question.rounds
    return cpu * 1000, statistics.median(walls) * 1000, answers


def samples(answer: bytes) -> dict[tuple[object, ...], float]:
    found = {}
    for one in json.loads(answer)["data"]["result"]:
        metric = tuple(sorted(one["metric"].items()))
        for moment, value in one.get("values") or [one["value"]]:
            found[metric, float(moment)] = float(value)
    return found


def ranked(found: dict[tuple[object, ...], float]) -> dict[tuple[object, ...], float]:
    """Return the values of each moment by their rank."""
    by_moment: dict[object, list[float]] = {}
    for (_, moment), value in found.items():
        by_moment.setdefault(moment, []).append(value)
    return {
        (rank, moment): value
        for moment, values in by_moment.items()
        for rank, value in enumerate(sorted(values))
    }


def differences(ours: list[bytes], theirs: list[bytes], *, ties: bool) -> tuple[int, int]:
    """Return how many samples were compared and how many differ."""
    compared = different = 0
    for mine, yours in zip(map(samples, ours), map(samples, theirs), strict=True):
        one, other = (ranked(mine), ranked(yours)) if ties else (mine, yours)
        for key in one.keys() | other.keys():
            compared += 1
            left, right = one.get(key), other.get(key)
            same = left is not None and right is not None
            same = same and (
                left == right
                or (left != left and right != right)
                or bool(abs(left - right) <= TOLERANCE * max(abs(left), abs(right)))
            )
            different += not same
    return compared, different


def row_of(question: Question, servers: tuple[Server, Server], begin: int) -> dict[str, object]:
    (cpu, wall, ours), (their_cpu, their_wall, theirs) = (
        measured(server, question, begin) for server in servers
    )
    compared, different = differences(ours, theirs, ties=question.ties)
    return {
        "query": question.name,
        "cpu_ratio": round(cpu / their_cpu, 3),
        "wall_ratio": round(wall / their_wall, 3),
        "cpu_ms": round(cpu, 2),
        "prometheus_cpu_ms": round(their_cpu, 2),
        "wall_ms": round(wall, 2),
        "prometheus_wall_ms": round(their_wall, 2),
        "samples": compared,
        "different": different,
        "behind": their_cpu > WORTH_MS and cpu > their_cpu,
    }


def idle_cpu(servers: tuple[Server, Server]) -> list[float]:
    """Return the CPU seconds a second that the servers take when nobody asks."""
    before = [server.cpu_seconds() for server in servers]
    time.sleep(IDLE_SECONDS)
    now = [server.cpu_seconds() for server in servers]
    return [(end - begin) / IDLE_SECONDS for begin, end in zip(before, now, strict=True)]


def evaluated(servers: tuple[Server, Server], idle: list[float]) -> dict[str, object]:
    """Measure the servers' own evaluation of the rules, beyond what they take when idle."""
    time.sleep(3 * RULE_SECONDS)
    before = [server.cpu_seconds() for server in servers]
    time.sleep(ROUNDS_OF_RULES * RULE_SECONDS)
    spent = [
        (server.cpu_seconds() - begin - rest * ROUNDS_OF_RULES * RULE_SECONDS) / ROUNDS_OF_RULES
        for server, begin, rest in zip(servers, before, idle, strict=True)
    ]
    firing = [
        {json.dumps(one["labels"], sort_keys=True) for one in found["data"]["alerts"]}
        for found in (json.loads(server.ask("alerts")) for server in servers)
    ]
    ours, theirs = (seconds * 1000 for seconds in spent)
    return {
        "query": "200 alert rules, evaluated",
        "cpu_ratio": round(ours / theirs, 3),
        "wall_ratio": float("nan"),
        "cpu_ms": round(ours, 2),
        "prometheus_cpu_ms": round(theirs, 2),
        "wall_ms": float("nan"),
        "prometheus_wall_ms": float("nan"),
        "samples": len(firing[0] | firing[1]),
        "different": len(firing[0] ^ firing[1]),
        "behind": ours > theirs > WORTH_MS,
    }


def show(row: dict[str, object]) -> None:
    mark = " behind" if row["behind"] else ""
    print(
        f"{row['query']:32} {row['cpu_ratio']:6.2f} {row['wall_ratio']:6.2f}"
        f" {row['cpu_ms']:9.1f} {row['prometheus_cpu_ms']:9.1f}"
        f" {row['wall_ms']:9.1f} {row['prometheus_wall_ms']:9.1f}"
        f" {row['different']:6} of {row['samples']}{mark}",
        flush=True,
    )


def main() -> None:
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        sys.exit("the bench needs prometheus and promtool; on Debian: apt-get install prometheus")
    begin = (int(time.time()) // (2 * HOUR) - 1) * 2 * HOUR
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        fill(place, families(), begin)
        print(
            f"{'':32} {'ratio of':>13} {'CPU ms':>19} {'wall ms':>19}\n"
            f"{'':32} {'CPU':>6} {'wall':>6} {'ours':>9} {'theirs':>9} {'ours':>9} {'theirs':>9}"
            "  different"
        )
        rows = []
        with both(place, "idle.yml") as servers:
            for question in questions():
                rows.append(row_of(question, servers, begin))
                show(rows[-1])
            idle = idle_cpu(servers)
        with both(place, "rules.yml") as servers:
            rows.append(evaluated(servers, idle))
            show(rows[-1])
    ahead = sum(not row["behind"] for row in rows)
    print(f"at or below Prometheus' CPU, or not worth comparing: {ahead} of {len(rows)}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
