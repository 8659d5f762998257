"""Units of values, as far as they can be followed through an expression."""

from __future__ import annotations

from dataclasses import dataclass

COUNT = "1"
SECONDS = "seconds"
TIMESTAMP = "timestamp"
RATIO = "ratio"
PERCENT = "percent"

_SUFFIXES = {
    "timestamp_seconds": TIMESTAMP,
    "start_time_seconds": TIMESTAMP,
    "seconds": SECONDS,
    "milliseconds": "milliseconds",
    "bytes": "bytes",
    "ratio": RATIO,
    "percent": PERCENT,
    "usd": "usd",
    "celsius": "celsius",
    "joules": "joules",
    "volts": "volts",
    "amperes": "amperes",
    "meters": "meters",
    "grams": "grams",
    "hertz": "hertz",
}
_PARTS = ("_total", "_bucket", "_sum", "_count")
_SCALED = {
    (RATIO, 100.0): PERCENT,
    (SECONDS, 1000.0): "milliseconds",
    (SECONDS, 1 / 60): "minutes",
    (SECONDS, 1 / 3600): "hours",
    (SECONDS, 1 / 86400): "days",
    ("minutes", 1 / 60): "hours",
    ("bytes", 8.0): "bits",
    ("bytes", 1 / 1024): "kibibytes",
    ("kibibytes", 1 / 1024): "mebibytes",
    ("mebibytes", 1 / 1024): "gibibytes",
    ("bytes", 1 / 1024**2): "mebibytes",
    ("bytes", 1 / 1024**3): "gibibytes",
    ("bytes", 1 / 1000): "kilobytes",
    ("bytes", 1 / 1e6): "megabytes",
    ("bytes", 1 / 1e9): "gigabytes",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, a second where `per_second`."""

    name: str
    per_second: bool = False

    def __str__(self) -> str:
        name = "events" if self.name == COUNT else self.name
        return f"{name} per second" if self.per_second else name

    def rate(self) -> Unit | None:
        """Return the unit of its growth a second."""
        if self.per_second or self.name == TIMESTAMP:
            return None
        return Unit(self.name, per_second=True)

    def total(self) -> Unit:
        """Return the unit of its growth over a time."""
        return Unit(SECONDS) if self.name == TIMESTAMP else self

    def divided_by(self, other: Unit) -> Unit | None:
        """Return the unit of a division, or None where it has no name."""
        if self == other:
            return Unit(RATIO)
        if other.name in (COUNT, RATIO) and (self.per_second or not other.per_second):
            return Unit(self.name, per_second=self.per_second and not other.per_second)
        return None

    def times(self, other: Unit) -> Unit | None:
        """Return the unit of a product, or None where it has no name."""
        for one, plain in ((self, other), (other, self)):
            if plain.name in (COUNT, RATIO) and not plain.per_second:
                return one
        return None

    def scaled(self, factor: float) -> Unit | None:
        """Return the unit after multiplication by a number, or None where it has no name."""
        if factor == 1:
            return self
        for (name, known), becomes in _SCALED.items():
            if self.name == name and abs(known - factor) <= 1e-9 * abs(known):
                return Unit(becomes, self.per_second)
        return None


def unit_by_name(metric: str) -> str:
    """Return the unit that a metric's name ends in, or ''."""
    for part in _PARTS:
        metric = metric.removesuffix(part)
    for suffix, unit in _SUFFIXES.items():
        if metric.endswith(f"_{suffix}") or metric == suffix:
            return unit
    return ""
