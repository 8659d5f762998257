"""Runs Prometheus' test scripts against the engine and counts what passes.

As a script (`python tests/watchkeeper/promql/conformance.py [DIRECTORY] [--failures]`) it prints
the table by file. Each instant query is asked again as a short range around its moment and, where
that cannot change its meaning, with `@` on its selectors, as the original runner does.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import script

from watchkeeper.errors import QueryError, WatchkeeperError
from watchkeeper.matching import matches
from watchkeeper.model import (
    CUSTOM_BUCKETS_SCHEMA,
    CounterReset,
    Labels,
    Matcher,
    NativeHistogram,
    Series,
    labels,
)
from watchkeeper.promql import Engine, Expression, Result, ResultType, parse
from watchkeeper.promql.invariance import same_at_every_step
from watchkeeper.promql.literals import unquote
from watchkeeper.promql.native_histogram import compacted, was_reset
from watchkeeper.promql.series_notation import parse_series, split_metric
from watchkeeper.promql.syntax import (
    Aggregate,
    At,
    Binary,
    Call,
    MatrixSelector,
    Parens,
    Subquery,
    Unary,
    VectorSelector,
)
from watchkeeper.series_columns import SeriesColumns

REPOSITORY = Path(__file__).parents[3]
SHARED = REPOSITORY.parent / "shared" / "promqltest"
OWN = Path(__file__).parent / "scripts"
TOLERANCE = 1e-6
MINUTE_MS = 60_000
OF_THE_RANGE = re.compile(r"(?<!@ )\b(?:start|end|step|range)\(\)", re.IGNORECASE)
"""What a query asks of its own range changes when it is asked as a range."""
STARTS = re.compile(r"(?<=[\w}])@st\s")
"""Marks a line of start timestamps, each given by how far it lies from its sample."""


class Mismatch(Exception):  # noqa: N818  it is no fault of the program
    """The engine's answer is not what the script wants."""


class Memory:
    """A source of series that were loaded by a script."""

    def __init__(self) -> None:
        self._series: dict[Labels, dict[int, float | NativeHistogram]] = {}
        self._starts: dict[Labels, dict[int, int]] = {}

    def load(self, command: script.Load) -> None:
        loaded: dict[Labels, dict[int, float | NativeHistogram]] = {}
        for line in command.lines:
            if STARTS.search(line):
                metric, values = split_metric(STARTS.sub(" ", line, count=1))
                starts = script.start_offsets(values)
                self._starts.setdefault(metric, {}).update(
                    (number * command.gap_ms, number * command.gap_ms + offset)
                    for number, offset in enumerate(starts)
                    if offset is not None
                )
                continue
            described = parse_series(line)
            samples = loaded.setdefault(described.labels, {})
            for number, value in enumerate(described.values):
                if value is not None:
                    samples[number * command.gap_ms] = value
        if command.with_custom_buckets:
            loaded = {**with_custom_buckets(loaded), **loaded}
        for metric, samples in loaded.items():
            self._series.setdefault(metric, {}).update(hinted(samples))

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SeriesColumns:
        found = []
        for metric in sorted(self._series):
            if not matches(metric, tuple(matchers)):
                continue
            samples = self._series[metric]
            times = [moment for moment in sorted(samples) if start_ms <= moment <= end_ms]
            if times:
                chosen = [samples[moment] for moment in times]
                native = [one if isinstance(one, NativeHistogram) else None for one in chosen]
                values = [math.nan if isinstance(one, NativeHistogram) else one for one in chosen]
                found.append(
                    Series(
                        metric,
                        np.array(times, dtype=np.int64),
                        np.array(values, dtype=np.float64),
                        native if any(one is not None for one in native) else None,
                        self._starts_at(metric, times),
                    )
                )
        return SeriesColumns.of(found)

    def _starts_at(self, metric: Labels, times: list[int]) -> np.ndarray | None:
        starts = self._starts.get(metric)
        if starts is None:
            return None
        return np.array([starts.get(moment, 0) for moment in times], dtype=np.int64)


def hinted(
    samples: dict[int, float | NativeHistogram],
) -> dict[int, float | NativeHistogram]:
    """Say which histograms go on counting, as a store knows within a chunk; a reset begins one."""
    found: dict[int, float | NativeHistogram] = {}
    before: NativeHistogram | None = None
    for moment, sample in sorted(samples.items()):
        found[moment] = sample
        if not isinstance(sample, NativeHistogram):
            before = None
            continue
        unknown = before is not None and sample.reset is CounterReset.UNKNOWN
        if unknown and not was_reset(sample, before):
            found[moment] = replace(sample, reset=CounterReset.NOT_RESET)
        before = sample
    return found


def with_custom_buckets(
    loaded: dict[Labels, dict[int, float | NativeHistogram]],
) -> dict[Labels, dict[int, float | NativeHistogram]]:
    """Make native histograms of the classic ones, their bounds as custom buckets."""
    parts: dict[Labels, dict[str, dict[int, float | NativeHistogram]]] = {}
    for metric, samples in loaded.items():
        values = dict(metric)
        match = re.fullmatch(r"(.+)_(bucket|sum|count)", values.get("__name__", ""))
        if match is None or (match[2] == "bucket" and "le" not in values):
            continue
        bound = values.pop("le", "") if match[2] == "bucket" else match[2]
        parts.setdefault(labels({**values, "__name__": match[1]}), {})[bound] = samples
    return {metric: custom(found) for metric, found in parts.items() if {*found} - {"sum", "count"}}


def custom(
    parts: dict[str, dict[int, float | NativeHistogram]],
) -> dict[int, float | NativeHistogram]:
    bounds = sorted((float(le), le) for le in parts if le not in ("sum", "count"))
    found: dict[int, float | NativeHistogram] = {}
    for moment in parts[bounds[-1][1]]:
        cumulated = [parts[le].get(moment, 0.0) for _, le in bounds]
        if any(math.isnan(one) for one in cumulated):
            found[moment] = cumulated[-1]
            continue
        counts = {
            place: now - before
            for place, (before, now) in enumerate(pairwise([0.0, *cumulated]))
            if now != before
        }
        found[moment] = NativeHistogram(
            schema=CUSTOM_BUCKETS_SCHEMA,
            count=cumulated[-1],
            sum=parts.get("sum", {}).get(moment, 0.0),
            positive=counts,
            custom_values=tuple(bound for bound, _ in bounds if not math.isinf(bound)),
        )
    return found


@dataclass
class Tally:
    """How many evals of a file passed, and why the others did not."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.passed + len(self.failures)


def run(path: Path) -> Tally:
    """Run one script to its end, whatever fails in between."""
    tally, memory = Tally(), Memory()
    trouble = ""
    for command in script.read(path):
        if isinstance(command, script.Clear):
            memory, trouble = Memory(), ""
        elif isinstance(command, script.Load):
            try:
                memory.load(command)
            except WatchkeeperError as error:
                trouble = str(error)
        else:
            try:
                if trouble:
                    raise Mismatch(f"the data could not be loaded: {trouble}")
                check(command, memory)
                tally.passed += 1
            except Exception as error:  # noqa: BLE001  a crash is a failure among others here
                reason = f"{type(error).__name__}: {error}"
                tally.failures.append(f"{path.name}:{command.line}: {command.query}: {reason}")
    return tally


def check(command: script.Evaluation, memory: Memory) -> None:
    """Ask the query in every way the original runner does. Raises Mismatch."""
    engine = Engine(memory)
    if failing := command.wants("fail"):
        check_failure(command, engine, failing)
        return
    if command.is_range:
        check_range(command, engine.range(command.query, *times_of(command)))
        return
    result = engine.instant(command.query, command.start_ms)
    check_instant(command, result)
    check_annotations(command, result)
    if result.type is ResultType.STRING or result.type is ResultType.MATRIX:
        return
    check_as_range(command, engine)
    check_with_at(command, engine)


def times_of(command: script.Evaluation) -> tuple[int, int, int]:
    return command.start_ms, command.end_ms, command.step_ms


def check_failure(
    command: script.Evaluation, engine: Engine, failing: list[script.Expectation]
) -> None:
    try:
        if command.is_range:
            engine.range(command.query, *times_of(command))
        else:
            engine.instant(command.query, command.start_ms)
    except QueryError as error:
        message = str(error)
        for expected in failing:
            if "not built yet" in message or not agrees(expected, message):
                raise Mismatch(f"failed with {message!r}, expected {expected.text!r}") from None
        return
    raise Mismatch("was expected to fail")


def agrees(expected: script.Expectation, message: str) -> bool:
    if expected.is_regex:
        return re.search(expected.text, message) is not None
    return not expected.text or expected.text in message


def check_annotations(command: script.Evaluation, result: Result) -> None:
    for kind, found in (("warn", result.warnings), ("info", result.infos)):
        if command.wants(f"no_{kind}") and found:
            raise Mismatch(f"unexpected {kind}: {found}")
        wanted = command.wants(kind)
        if wanted and not found:
            raise Mismatch(f"expected a {kind}")
        for expected in wanted:
            if expected.text and not any(agrees(expected, one) for one in found):
                raise Mismatch(f"expected {kind} {expected.text!r}, found {found}")
        texts = [expected for expected in wanted if expected.text]
        for one in found if texts else ():
            if not any(agrees(expected, one) for expected in texts):
                raise Mismatch(f"unexpected {kind}: {one!r}")


def check_instant(command: script.Evaluation, result: Result) -> None:
    if wanted := command.wants("string"):
        if unquote(wanted[0].text) != result.text:
            raise Mismatch(f"expected string {wanted[0].text}, found {result.text!r}")
        return
    if wanted := command.wants("range vector"):
        match = re.fullmatch(r"from (\S+) to (\S+) step (\S+)", wanted[0].text)
        start, _, step = (script.milliseconds(one) for one in match.groups())
        compare_matrix(expected_series(command), result, start, step)
        return
    if result.type is ResultType.MATRIX:
        raise Mismatch("a range vector came back, none was expected")
    compare_instant(command, result, 0)


def compare_instant(command: script.Evaluation, result: Result, moment: int) -> None:
    wanted = expected_instant(command)
    shown = np.flatnonzero(result.present[:, moment]).tolist() if result.labels else []
    found = {result.labels[row]: sample_of(result, row, moment) for row in shown}
    if len(wanted) != len(found):
        raise Mismatch(f"expected {wanted}, found {found}")
    for metric, value in wanted.items():
        if metric not in found or not nearly(value, found[metric]):
            raise Mismatch(f"expected {metric} {value}, found {found}")
    if command.wants("ordered") and list(wanted) != list(found):
        raise Mismatch(f"expected order {list(wanted)}, found {list(found)}")


def expected_instant(command: script.Evaluation) -> dict[Labels, float]:
    found: dict[Labels, float] = {}
    for line in command.lines:
        if re.fullmatch(r"[+-]?(?:[\d.]\S*|inf|nan)", line, re.IGNORECASE):
            found[()] = float(line)
            continue
        described = parse_series(line)
        if len(described.values) != 1 or described.values[0] is None:
            raise Mismatch(f"not one value: {line}")
        found[described.labels] = described.values[0]
    return found


def expected_series(command: script.Evaluation) -> dict[Labels, tuple[float | None, ...]]:
    found = {}
    for line in command.lines:
        if re.match(r"[+-]?(?:[\d.]|inf\b|nan\b)", line, re.IGNORECASE):
            line = "{} " + line
        described = parse_series(line)
        found[described.labels] = described.values
    return found


def check_range(command: script.Evaluation, result: Result) -> None:
    compare_matrix(expected_series(command), result, command.start_ms, command.step_ms)
    check_annotations(command, result)


def compare_matrix(
    wanted: dict[Labels, tuple[float | None, ...]], result: Result, start_ms: int, step_ms: int
) -> None:
    found = {}
    for row, metric in enumerate(result.labels):
        shown = result.present[row]
        if shown.any():
            times = result.timestamps_ms.tolist()
            found[metric] = {
                times[column]: sample_of(result, row, column)
                for column in np.flatnonzero(shown).tolist()
            }
    expected = {
        metric: {
            start_ms + number * step_ms: value
            for number, value in enumerate(values)
            if value is not None
        }
        for metric, values in wanted.items()
    }
    expected = {metric: samples for metric, samples in expected.items() if samples}
    if set(expected) != set(found):
        raise Mismatch(f"expected series {sorted(expected)}, found {sorted(found)}")
    for metric, samples in expected.items():
        same = samples.keys() == found[metric].keys() and all(
            nearly(value, found[metric][moment]) for moment, value in samples.items()
        )
        if not same:
            raise Mismatch(f"expected {metric} {samples}, found {found[metric]}")


def check_as_range(command: script.Evaluation, engine: Engine) -> None:
    at = command.start_ms
    result = engine.range(command.query, at - MINUTE_MS, at + MINUTE_MS, MINUTE_MS)
    if not command.wants("ordered") and not OF_THE_RANGE.search(command.query):
        try:
            compare_instant(command, result, 1)
        except Mismatch as error:
            raise Mismatch(f"as a range: {error}") from None


def check_with_at(command: script.Evaluation, engine: Engine) -> None:
    rewritten = with_at(parse(command.query), At(command.start_ms / 1000))
    if not same_at_every_step(rewritten) or OF_THE_RANGE.search(command.query):
        return
    for moment in (command.start_ms, 0, 10 * command.start_ms + 1):
        try:
            compare_instant(command, engine.instant(rewritten, moment), 0)
        except (Mismatch, QueryError) as error:
            raise Mismatch(f"with @, at {moment}: {error}") from None


def with_at(node: Expression, at: At) -> Expression:
    """Pin every selector that is not inside a subquery, unless it is pinned already."""
    match node:
        case VectorSelector() | Subquery():
            return node if node.at is not None else replace(node, at=at)
        case MatrixSelector():
            return replace(node, vector=with_at(node.vector, at))
        case Parens():
            return replace(node, expression=with_at(node.expression, at))
        case Unary():
            return replace(node, operand=with_at(node.operand, at))
        case Binary():
            return replace(node, left=with_at(node.left, at), right=with_at(node.right, at))
        case Call():
            return replace(node, arguments=tuple(with_at(one, at) for one in node.arguments))
        case Aggregate():
            parameter = None if node.parameter is None else with_at(node.parameter, at)
            return replace(node, expression=with_at(node.expression, at), parameter=parameter)
    return node


def sample_of(result: Result, row: int, column: int) -> float | NativeHistogram:
    if result.histograms is not None and result.histograms[row, column] is not None:
        return result.histograms[row, column]
    return float(result.values[row, column])


def nearly(left: float | NativeHistogram, right: float | NativeHistogram) -> bool:
    """Tell whether the engine's answer (right) is what a script wants (left)."""
    if isinstance(left, NativeHistogram) or isinstance(right, NativeHistogram):
        both = isinstance(left, NativeHistogram) and isinstance(right, NativeHistogram)
        return both and nearly_histogram(left, right)
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    if left == right:
        return True
    if math.isinf(left) or math.isinf(right):
        return False
    return abs(left - right) / (abs(left) + abs(right)) < TOLERANCE


def nearly_histogram(left: NativeHistogram, right: NativeHistogram) -> bool:
    left, right = compacted(left), compacted(right)
    if left.reset is not CounterReset.UNKNOWN and left.reset is not right.reset:
        return False
    numbers = [
        (left.count, right.count),
        (left.sum, right.sum),
        (left.zero_threshold, right.zero_threshold),
        (left.zero_count, right.zero_count),
    ]
    for mine, yours in ((left.positive, right.positive), (left.negative, right.negative)):
        numbers += [(mine.get(i, 0.0), yours.get(i, 0.0)) for i in {*mine, *yours}]
    return (
        left.schema == right.schema
        and left.custom_values == right.custom_values
        and all(nearly(one, other) for one, other in numbers)
    )


def directories() -> list[Path]:
    """Return where scripts are: our own, and Prometheus' where they are at hand."""
    return [OWN, SHARED] if SHARED.is_dir() else [OWN]


def show(*texts: str) -> None:
    """Write a line of the table."""
    sys.stdout.write(" ".join(texts) + "\n")


def main(arguments: list[str]) -> None:
    chosen = [Path(one) for one in arguments if not one.startswith("-")]
    paths = [
        path
        for place in chosen or directories()
        for path in ([place] if place.is_file() else sorted(place.glob("*.test")))
    ]
    totals = [0, 0]
    for path in paths:
        tally = run(path)
        totals[0] += tally.passed
        totals[1] += tally.total
        show(f"{path.name:32} {tally.passed:5} of {tally.total:5}")
        if "--failures" in arguments:
            for failure in tally.failures:
                show("   ", failure[:400])
    show(f"{'all':32} {totals[0]:5} of {totals[1]:5}")


if __name__ == "__main__":
    main(sys.argv[1:])
