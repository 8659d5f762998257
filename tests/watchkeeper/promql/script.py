"""Reads the scripts that Prometheus tests its query engine with: load, clear, eval."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from watchkeeper.promql import parse_duration_ms

INSTANT = re.compile(r"eval(?:_(fail|warn|info|ordered))?\s+instant\s+at\s+(\S+)\s+(.*)")
RANGE = re.compile(
    r"eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.*)"
)
EXPECTATION = re.compile(
    r"expect\s+(fail|warn|info|no_warn|no_info|ordered|string|range vector)\s*(.*)"
)


@dataclass(frozen=True)
class Clear:
    """Forget all series."""


@dataclass(frozen=True)
class Load:
    """Series with a sample every `gap_ms`."""

    gap_ms: int
    with_custom_buckets: bool
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Expectation:
    """What must be told besides the values; `text` is a message or regex, or empty."""

    kind: str
    text: str = ""
    is_regex: bool = False


@dataclass(frozen=True)
class Evaluation:
    """A query, when to ask it, and what must come back."""

    line: int
    query: str
    start_ms: int
    end_ms: int
    step_ms: int
    expectations: tuple[Expectation, ...] = ()
    lines: tuple[str, ...] = field(default=())

    @property
    def is_range(self) -> bool:
        return self.step_ms > 0

    def wants(self, kind: str) -> list[Expectation]:
        return [one for one in self.expectations if one.kind == kind]


Command = Clear | Load | Evaluation


def milliseconds(text: str) -> int:
    """Return a moment or length, in seconds where no unit is given."""
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    try:
        return sign * parse_duration_ms(text)
    except ValueError:
        return sign * round(float(text) * 1000)


START = re.compile(
    r"(?P<base>[+-]?(?:0|(?:\d+[a-z]+?)+))(?P<step>[+-](?:\d+[a-z]+?)+)?(?:x(?P<times>\d+))?"
)


def start_offsets(text: str) -> list[int | None]:
    """Return how far start timestamps lie from their samples, in milliseconds; None is none."""
    found: list[int | None] = []
    for word in text.split():
        if match := re.fullmatch(r"_(?:x(\d+))?", word):
            found += [None] * int(match[1] or 1)
            continue
        match = START.fullmatch(word)
        if match is None:
            raise ValueError(f"not a start timestamp: {word!r}")
        base, step = milliseconds(match["base"]), milliseconds(match["step"] or "0")
        found += [base + number * step for number in range(int(match["times"] or 0) + 1)]
    return found


def read(path: Path) -> Iterator[Command]:
    """Give the commands of a script in order."""
    lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        number += 1
        if not line or line.startswith("#"):
            continue
        begin = number
        body: list[str] = []
        if line.startswith(("load", "eval")):
            while number < len(lines) and lines[number].strip():
                text = lines[number].strip()
                if text == "clear" or text.startswith(("load ", "eval ")):
                    break
                if not text.startswith("#"):
                    body.append(text)
                number += 1
        yield command(line, tuple(body), begin)


def command(line: str, body: tuple[str, ...], number: int) -> Command:
    if line == "clear":
        return Clear()
    if line.startswith("load"):
        word, gap = line.split(maxsplit=1)
        return Load(milliseconds(gap), word.endswith("nhcb"), body)
    if match := INSTANT.fullmatch(line):
        legacy, moment, query = match.groups()
        at = milliseconds(moment)
        return _evaluation(legacy, query, (at, at, 0), body, number)
    if match := RANGE.fullmatch(line):
        legacy, start, end, step, query = match.groups()
        times = (milliseconds(start), milliseconds(end), milliseconds(step))
        return _evaluation(legacy, query, times, body, number)
    raise ValueError(f"line {number}: not a command: {line}")


def _evaluation(
    legacy: str | None, query: str, times: tuple[int, int, int], body: tuple[str, ...], number: int
) -> Evaluation:
    expectations = [Expectation(legacy)] if legacy else []
    lines = []
    for text in body:
        if match := EXPECTATION.fullmatch(text):
            expectations.append(_expectation(match[1], match[2].strip()))
        elif text.startswith(("expected_fail_message", "expected_fail_regexp")):
            word, rest = text.split(maxsplit=1)
            expectations = [Expectation("fail", rest.strip(), word.endswith("regexp"))]
        else:
            lines.append(text)
    return Evaluation(number, query.strip(), *times, tuple(expectations), tuple(lines))


def _expectation(kind: str, rest: str) -> Expectation:
    for prefix, is_regex in (("msg:", False), ("regex:", True)):
        if rest.startswith(prefix):
            return Expectation(kind, rest.removeprefix(prefix).strip(), is_regex)
    return Expectation(kind, rest)
