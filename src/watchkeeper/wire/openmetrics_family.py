"""What OpenMetrics 1.0 demands of one family: suffixes, labels, values, order.

Source: OpenMetrics 1.0, "MetricFamily" and "Metric types".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from watchkeeper.errors import DecodeError
from watchkeeper.model import Labels, MetricType

SUFFIXES: dict[str, tuple[str, ...]] = {
    "counter": ("_total", "_created"),
    "gauge": ("",),
    "unknown": ("",),
    "summary": ("", "_count", "_sum", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "info": ("_info",),
    "stateset": ("",),
}
MODEL_TYPES = {
    **{kind.value: kind for kind in MetricType},
    "info": MetricType.GAUGE,
    "stateset": MetricType.GAUGE,
    "gaugehistogram": MetricType.UNKNOWN,
}

_EXEMPLARS = {("counter", "_total"), ("histogram", "_bucket"), ("gaugehistogram", "_bucket")}
GROWING = {
    ("counter", "_total"),
    ("histogram", "_bucket"),
    ("histogram", "_count"),
    ("histogram", "_sum"),
    ("gaugehistogram", "_bucket"),
    ("gaugehistogram", "_gcount"),
    ("summary", "_count"),
    ("summary", "_sum"),
}
_SUMS = ("_sum", "_gsum")
_COUNTS = ("_count", "_gcount")
_BOUND = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z|\+Inf\Z")


@dataclass(slots=True)
class _Point:
    """What the buckets of one histogram at one moment have shown so far."""

    bound: float = -math.inf
    count: float = 0.0
    buckets: int = 0
    negative: bool = False
    total: float | None = None
    sum: float | None = None

    def add_bucket(self, bound: float, count: float) -> str:
        if self.total is not None or self.sum is not None:
            return "a bucket comes after the count or sum"
        if self.buckets and bound <= self.bound:
            return "buckets do not ascend"
        if count < self.count:
            return "a bucket holds less than the one before"
        self.bound, self.count, self.buckets = bound, count, self.buckets + 1
        self.negative = self.negative or bound < 0
        return ""

    def problem(self, kind: str) -> str:
        if not self.buckets or self.bound != math.inf:
            return "the +Inf bucket is missing"
        if self.total is not None and self.total != self.count:
            return "the count differs from the +Inf bucket"
        if self.total is None and self.sum is not None:
            return "a sum stands without its count"
        if kind == "histogram" and self.negative and self.sum is not None:
            return "a histogram with negative buckets has no sum"
        if self.total is not None and self.sum is None and not self.negative:
            return "a count stands without its sum"
        if self.sum is not None and self.sum < 0 and not self.negative:
            return "the sum is negative, but no bucket is"
        return ""


class Family:
    """One family while its lines are read; every method raises DecodeError that begins with
    `where`."""

    __slots__ = (
        "_done",
        "_group",
        "_point",
        "_seen",
        "_time",
        "help",
        "name",
        "sampled",
        "suffixes",
        "type",
        "unit",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.type = ""
        self.help: str | None = None
        self.unit: str | None = None
        self.sampled = False
        self.suffixes = {name: ""}
        self._group: Labels | None = None
        self._done: set[Labels] = set()
        self._seen: set[tuple[str, Labels]] = set()
        self._time: float | None = None
        self._point = _Point()

    @property
    def kind(self) -> str:
        """The type that was given, `unknown` without one."""
        return self.type or "unknown"

    def set_type(self, kind: str, where: str) -> None:
        """Take a TYPE line."""
        if self.type or kind not in SUFFIXES:
            raise DecodeError(f"{where}: type {kind[:40]!r} of {self.name} is unknown or repeated")
        self.type = kind
        self.suffixes = {f"{self.name}{suffix}": suffix for suffix in SUFFIXES[kind]}

    def add(
        self, suffix: str, series: Labels, value: float, time: float | None, where: str
    ) -> None:
        """Check one sample; `series` are its labels without the name, sorted."""
        self.sampled = True
        kind = self.kind
        special = _special_label(kind, suffix, self.name)
        group, text = series, ""
        if special:
            group = tuple([pair for pair in series if pair[0] != special])
            text = "".join([found for name, found in series if name == special])
        if group != self._group or time != self._time:
            self._enter(group, time, where)
        if (suffix, series) in self._seen:
            if time is None:
                raise DecodeError(f"{where}: the sample is there already")
        else:
            self._seen.add((suffix, series))
        problem = self._check_value(suffix, value) or self._check_special(kind, suffix, text, value)
        if problem:
            raise DecodeError(f"{where}: {self.name}: {problem}")

    def allows_exemplar(self, suffix: str) -> bool:
        """Return whether samples of a suffix may carry an exemplar."""
        return (self.kind, suffix) in _EXEMPLARS

    def close(self, where: str) -> None:
        """Check what can only be told once the family is whole."""
        self._leave(where)
        if self.unit and (
            not self.name.endswith(f"_{self.unit}") or self.kind in ("info", "stateset")
        ):
            raise DecodeError(f"{where}: {self.name} may not have the unit {self.unit[:40]!r}")

    def _enter(self, group: Labels, time: float | None, where: str) -> None:
        self._leave(where)
        if group == self._group:
            if time is None or self._time is None:
                raise DecodeError(f"{where}: {self.name}: some samples have a timestamp, some not")
            if time < self._time:
                raise DecodeError(f"{where}: {self.name}: timestamps go back")
        else:
            if group in self._done:
                raise DecodeError(f"{where}: {self.name}: samples of one metric are apart")
            self._done.add(group)
            self._seen.clear()
        self._group, self._time, self._point = group, time, _Point()

    def _leave(self, where: str) -> None:
        if self._group is not None and self.kind in ("histogram", "gaugehistogram"):
            problem = self._point.problem(self.kind)
            if problem:
                raise DecodeError(f"{where}: {self.name}: {problem}")

    def _check_value(self, suffix: str, value: float) -> str:
        if (self.kind, suffix) in GROWING and not value >= 0:
            return f"{suffix} is negative or NaN"
        if suffix == "_gsum" and math.isnan(value):
            return "_gsum is NaN"
        if self.kind == "info" and value != 1:
            return "an info's value is 1"
        if self.kind == "stateset" and value not in (0, 1):
            return "a state's value is 0 or 1"
        return ""

    def _check_special(self, kind: str, suffix: str, text: str, value: float) -> str:
        if suffix == "_bucket":
            if not _BOUND.match(text):
                return f"le={text[:40]!r} is no bound"
            return self._point.add_bucket(float(text), value)
        if kind in ("histogram", "gaugehistogram"):
            if suffix in _COUNTS:
                self._point.total = value
            elif suffix in _SUMS:
                self._point.sum = value
        elif kind == "summary" and not suffix:
            if not _BOUND.match(text) or not 0 <= float(text) <= 1:
                return f"quantile={text[:40]!r} is not between 0 and 1"
            return "a quantile's value is negative" if value < 0 else ""
        elif kind == "stateset" and not text:
            return "a state has no label that names it"
        return ""


def _special_label(kind: str, suffix: str, name: str) -> str:
    if suffix == "_bucket":
        return "le"
    if not suffix and kind == "summary":
        return "quantile"
    return name if kind == "stateset" else ""
