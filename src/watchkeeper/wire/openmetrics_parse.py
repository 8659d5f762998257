"""OpenMetrics 1.0, read strictly: whatever the specification forbids refuses the body.

Source: OpenMetrics 1.0, "ABNF" and the prose beside it. Names that it does not know may stand in
quotes, as Prometheus 3 asks for them: `{"http.requests",code="200"} 1`.
"""

from __future__ import annotations

import math
import re

from watchkeeper.errors import DecodeError
from watchkeeper.model import Exemplar, Labels, MetricMetadata
from watchkeeper.wire.family import ParsedExposition
from watchkeeper.wire.openmetrics_family import MODEL_TYPES, Family
from watchkeeper.wire.openmetrics_values import rules_of
from watchkeeper.wire.page_shape import PageShape
from watchkeeper.wire.series import SeriesCache, parse_labels, parse_number, unescape

# No group is matched possessively: Python before 3.11.5 gets that wrong (cpython issue 106052).
_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_VALUE = r'[^"\\]*+(?:\\.[^"\\]*+)*'
_PAIR = rf'[a-zA-Z_][a-zA-Z0-9_]*+="{_VALUE}"'
_LABELS = rf"\{{(?:{_PAIR}(?:,{_PAIR})*)?\}}"
_QUOTED = rf'"{_VALUE}"'
_ANY_PAIR = rf'(?:[a-zA-Z_][a-zA-Z0-9_]*+|{_QUOTED})="{_VALUE}"'
_NAMED_LABELS = rf"\{{{_QUOTED}(?:,{_ANY_PAIR})*\}}"
_SAMPLE = re.compile(
    rf"(?P<series>(?:(?P<name>{_NAME})(?P<labels>{_LABELS})?|(?P<named>{_NAMED_LABELS})))"
    rf" (?P<value>[^ \t]++)"
    rf"(?: (?P<time>[^ \t#]++))?"
    rf"(?: \# (?P<exemplar>{_LABELS}) (?P<observed>[^ \t]++)(?: (?P<when>[^ \t]++))?)?\Z"
)
_PAIRS = re.compile(rf'([a-zA-Z_][a-zA-Z0-9_]*+)="({_VALUE})"')
_NOTE = re.compile(rf"# (HELP|TYPE|UNIT) ({_NAME}|{_QUOTED}) (.*)\Z", re.DOTALL)
_EOF = "# EOF"
_LONGEST_EXEMPLAR = 128
_LATEST_MS = (1 << 63) - 1
_SHOWN = 80


def parse_openmetrics(
    text: str, default_timestamp_ms: int, series: SeriesCache
) -> ParsedExposition:
    """Return what an OpenMetrics body holds. Raises DecodeError with the line's number."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    if not lines or lines[-1] != _EOF:
        raise DecodeError("the body does not end in `# EOF`: it may have been cut off")
    if series.shape is not None:
        page = series.shape.read(lines, default_timestamp_ms)
        if page is not None:
            return page
    reader = _Reader(default_timestamp_ms, series)
    number = 0
    for number, line in enumerate(lines[:-1], 1):
        reader.read(line, number)
    reader.close_family(f"line {number}")
    found = reader.found
    if reader.received == len(reader.usual):
        series.shape = reader.shape(lines)
    series.trim(reader.received)
    return ParsedExposition(
        found.labels,
        found.timestamps_ms,
        found.values,
        found.exemplars,
        found.metadata,
        found.timed,
        reader.received,
    )


class _Reader:
    """Reads line by line; holds the family that is open and the names that are taken."""

    def __init__(self, default_timestamp_ms: int, series: SeriesCache) -> None:
        self.found = ParsedExposition()
        self.received = 0
        self._default_ms = default_timestamp_ms
        self._series = series
        self._family: Family | None = None
        self._taken: set[str] = set()
        self._kinds: dict[str, tuple[str, str]] = {}
        self.usual: dict[int, str] = {}

    def read(self, line: str, number: int) -> None:
        start, _, end = line.rpartition(" ")
        if start in self._series.known:
            # The usual line is a series seen before, one space and a value.
            self.usual[number - 1] = start
            self._sample(start, end, None, number)
        elif line.startswith("#"):
            self._note(line, f"line {number}")
        else:
            self._whole_sample(line, number)

    def close_family(self, where: str) -> None:
        family = self._family
        if family is None:
            return
        family.close(where)
        names = {family.name, *family.suffixes}
        if not names.isdisjoint(self._taken):
            raise DecodeError(f"{where}: the names of family {family.name} are taken already")
        self._taken |= names
        self._kinds |= {name: (family.kind, each) for name, each in family.suffixes.items()}
        if family.type or family.help or family.unit:
            kind = MODEL_TYPES[family.kind]
            help_text, unit = family.help or "", family.unit or ""
            self.found.metadata.append(MetricMetadata(family.name, kind, help_text, unit))

    def shape(self, lines: list[str]) -> PageShape | None:
        """Return the shape of a page that was read, all of whose series were known."""
        samples = [self._series.parts[text] for text in self.usual.values()]
        rules = rules_of(samples, self._kinds)
        if rules is None:
            return None
        return PageShape(lines, self.usual, self._series.known, self.found.metadata, rules)

    def _open_family(self, name: str, where: str) -> Family:
        self.close_family(where)
        if name in self._taken:
            raise DecodeError(f"{where}: {name} stood before: a family must stand together")
        self._family = Family(name)
        return self._family

    def _note(self, line: str, where: str) -> None:
        match = _NOTE.match(line)
        if match is None:
            raise DecodeError(f"{where}: neither metadata nor a sample: {line[:_SHOWN]!r}")
        keyword, name, rest = match.groups()
        if name.startswith('"'):
            name = unescape(name[1:-1])
        family = self._family
        if family is None or family.name != name:
            family = self._open_family(name, where)
        if family.sampled:
            raise DecodeError(f"{where}: {keyword} of {name} comes after its samples")
        if keyword == "TYPE":
            family.set_type(rest, where)
            return
        if (family.help if keyword == "HELP" else family.unit) is not None:
            raise DecodeError(f"{where}: {keyword} of {name} is repeated")
        if keyword == "HELP":
            family.help = unescape(rest)
        else:
            family.unit = rest

    def _whole_sample(self, line: str, number: int) -> None:
        match = _SAMPLE.match(line)
        where = f"line {number}"
        if match is None:
            raise DecodeError(f"{where}: not a sample: {line[:_SHOWN]!r}")
        text = match["series"]
        if text not in self._series.known:
            name = match["name"]
            if name is None:
                name, pairs = parse_labels(match["named"][1:-1], where)
            else:
                pairs = _pairs(match["labels"] or "", where)
            self._series.learn(text, name, pairs)
        time = match["time"]
        seconds = None if time is None else _seconds(time, where)
        labels = self._sample(text, match["value"], seconds, number)
        if match["exemplar"] is not None:
            self._exemplar(match, labels, where)

    def _sample(self, text: str, value: str, seconds: float | None, number: int) -> Labels | None:
        where = f"line {number}"
        name, plain = self._series.parts[text]
        family = self._family
        if family is None or name not in family.suffixes:
            family = self._open_family(name, where)
        number_value = _number(value, where)
        family.add(family.suffixes[name], plain, number_value, seconds, where)
        self.received += 1
        labels = self._series.known[text]
        if labels is None:
            return None
        found = self.found
        if seconds is not None:
            found.timed.append(len(found.labels))
        found.labels.append(labels)
        found.values.append(number_value)
        found.timestamps_ms.append(self._default_ms if seconds is None else _ms(seconds))
        return labels

    def _exemplar(self, match: re.Match[str], labels: Labels | None, where: str) -> None:
        family, name = self._family, self._series.parts[match["series"]][0]
        if family is None or not family.allows_exemplar(family.suffixes[name]):
            raise DecodeError(f"{where}: {name[:_SHOWN]} may not have an exemplar")
        pairs = _pairs(match["exemplar"], where)
        if sum(len(name) + len(value) for name, value in pairs.items()) > _LONGEST_EXEMPLAR:
            raise DecodeError(f"{where}: an exemplar's labels are {_LONGEST_EXEMPLAR} at most")
        value = _number(match["observed"], where)
        when = match["when"]
        at_ms = self._default_ms if when is None else _ms(_seconds(when, where))
        if labels is not None:
            exemplar = Exemplar(tuple(sorted(pairs.items())), value, at_ms)
            self.found.exemplars.append((labels, exemplar))


def _pairs(text: str, where: str) -> dict[str, str]:
    found = _PAIRS.findall(text)
    pairs = {name: unescape(value) for name, value in found}
    if len(pairs) != len(found):
        raise DecodeError(f"{where}: a label is given twice in {text[:_SHOWN]}")
    return pairs


def _number(text: str, where: str) -> float:
    try:
        return parse_number(text)
    except ValueError:
        raise DecodeError(f"{where}: {text[:_SHOWN]!r} is not a number") from None


def _seconds(text: str, where: str) -> float:
    seconds = _number(text, where)
    if not math.isfinite(seconds):
        raise DecodeError(f"{where}: {text[:_SHOWN]!r} is not a time")
    return seconds


def _ms(seconds: float) -> int:
    return round(max(-_LATEST_MS, min(_LATEST_MS, seconds * 1000)))
