"""A moment as Go's time.Time shows itself to templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watchkeeper.errors import TemplateError

ZERO_NS = -62_135_596_800_000_000_000
"""Go's zero time, 0001-01-01T00:00:00Z: how Alertmanager writes `no end yet`."""

_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAYOUT = re.compile(
    r"2006|January|Jan|Monday|Mon|MST|Z07:00|Z0700|-07:00|-0700|-07|"
    r"[.,]0+(?!\d)|[.,]9+(?!\d)|01|02|_2|03|04|05|06|15|PM|pm|1|2|3|4|5"
)


class Moment:
    """Nanoseconds since the Unix epoch, seen in a time zone (UTC unless changed)."""

    __slots__ = ("_time_ns", "_zone")

    def __init__(self, time_ns: int, zone: tzinfo = UTC) -> None:
        self._time_ns = time_ns
        self._zone = zone

    @property
    def time_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._time_ns

    def member(self, name: str) -> object:
        return self._methods()[name]

    def _methods(self) -> Mapping[str, Callable[..., object]]:
        moment = self._datetime()
        return {
            "Format": self.format,
            "UTC": lambda: Moment(self._time_ns),
            "Local": lambda: Moment(self._time_ns),
            "Unix": lambda: self._time_ns // _SECOND,
            "UnixNano": lambda: self._time_ns,
            "String": self.__str__,
            "IsZero": lambda: self._time_ns == ZERO_NS,
            "Year": lambda: moment.year,
            "Month": lambda: moment.strftime("%B"),
            "Day": lambda: moment.day,
            "Hour": lambda: moment.hour,
            "Minute": lambda: moment.minute,
            "Second": lambda: moment.second,
            "Weekday": lambda: moment.strftime("%A"),
            "Sub": lambda other: Span(self._time_ns - other.time_ns),
            "Before": lambda other: self._time_ns < other.time_ns,
            "After": lambda other: self._time_ns > other.time_ns,
        }

    def in_zone(self, name: str) -> Moment:
        """Return the same moment in an IANA time zone. Raises TemplateError."""
        try:
            return Moment(self._time_ns, ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError):
            raise TemplateError(f"unknown time zone {name}") from None

    def format(self, layout: str) -> str:
        """Return the moment by a Go layout, such as `2006-01-02 15:04:05 MST`."""
        moment = self._datetime()
        return _LAYOUT.sub(lambda match: self._element(match[0], moment), layout)

    def rfc3339(self) -> str:
        """Return the moment as JSON has it: RFC 3339 with as much fraction as there is."""
        return self.format("2006-01-02T15:04:05.999999999Z07:00")

    def __str__(self) -> str:
        return self.format("2006-01-02 15:04:05.999999999 -0700 MST")

    def _datetime(self) -> datetime:
        seconds = self._time_ns // _SECOND
        try:
            return (_EPOCH + timedelta(seconds=seconds)).astimezone(self._zone)
        except OverflowError:
            raise TemplateError("time is out of range") from None

    def _element(self, element: str, moment: datetime) -> str:
        if element[0] in ".,":
            digits = f"{self._time_ns % _SECOND:09d}"
            if element[1] == "0":
                return element[0] + digits[: len(element) - 1]
            fraction = digits[: len(element) - 1].rstrip("0")
            return element[0] + fraction if fraction else ""
        if element in _OFFSETS:
            return _offset(element, moment)
        return _ELEMENTS[element](moment)


class Span:
    """A time.Duration: nanoseconds that print as Go prints them (`1h2m3.5s`)."""

    __slots__ = ("nanoseconds",)

    def __init__(self, nanoseconds: int) -> None:
        self.nanoseconds = nanoseconds

    def member(self, name: str) -> object:
        methods: dict[str, Callable[[], object]] = {
            "Seconds": lambda: self.nanoseconds / _SECOND,
            "Minutes": lambda: self.nanoseconds / _SECOND / 60,
            "Hours": lambda: self.nanoseconds / _SECOND / 3600,
            "String": self.__str__,
        }
        return methods[name]

    def __float__(self) -> float:
        return self.nanoseconds / _SECOND

    def __str__(self) -> str:
        sign, rest = "-" if self.nanoseconds < 0 else "", abs(self.nanoseconds)
        if rest == 0:
            return "0s"
        for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
            if rest < size * 1000:
                return f"{sign}{_decimal(rest, size)}{unit}"
        minutes, seconds_ns = divmod(rest, 60 * _SECOND)
        hours, minutes = divmod(minutes, 60)
        shown = f"{hours}h" if hours else ""
        shown += f"{minutes}m" if hours or minutes else ""
        return f"{sign}{shown}{_decimal(seconds_ns, _SECOND)}s"


def _decimal(amount: int, size: int) -> str:
    whole, rest = divmod(amount, size)
    digits = str(rest).zfill(len(str(size)) - 1).rstrip("0") if size > 1 else ""
    return f"{whole}.{digits}" if digits else str(whole)


_OFFSETS = frozenset({"Z07:00", "Z0700", "-07:00", "-0700", "-07"})


def _offset(element: str, moment: datetime) -> str:
    offset = moment.utcoffset() or timedelta(0)
    if element[0] == "Z" and not offset:
        return "Z"
    minutes = abs(int(offset.total_seconds())) // 60
    sign = "-" if offset < timedelta(0) else "+"
    if element == "-07":
        return f"{sign}{minutes // 60:02d}"
    colon = ":" if ":" in element else ""
    return f"{sign}{minutes // 60:02d}{colon}{minutes % 60:02d}"


_ELEMENTS: Mapping[str, Callable[[datetime], str]] = {
    "2006": lambda moment: f"{moment.year:04d}",
    "06": lambda moment: f"{moment.year % 100:02d}",
    "January": lambda moment: moment.strftime("%B"),
    "Jan": lambda moment: moment.strftime("%b"),
    "01": lambda moment: f"{moment.month:02d}",
    "1": lambda moment: str(moment.month),
    "Monday": lambda moment: moment.strftime("%A"),
    "Mon": lambda moment: moment.strftime("%a"),
    "02": lambda moment: f"{moment.day:02d}",
    "_2": lambda moment: f"{moment.day:2d}",
    "2": lambda moment: str(moment.day),
    "15": lambda moment: f"{moment.hour:02d}",
    "03": lambda moment: f"{(moment.hour - 1) % 12 + 1:02d}",
    "3": lambda moment: str((moment.hour - 1) % 12 + 1),
    "04": lambda moment: f"{moment.minute:02d}",
    "4": lambda moment: str(moment.minute),
    "05": lambda moment: f"{moment.second:02d}",
    "5": lambda moment: str(moment.second),
    "PM": lambda moment: "PM" if moment.hour >= 12 else "AM",
    "pm": lambda moment: "pm" if moment.hour >= 12 else "am",
    "MST": lambda moment: moment.tzname() or "UTC",
}
