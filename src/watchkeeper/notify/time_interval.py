"""Times of day, days and months in which a route is muted or active."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = tuple(name.lower() for name in calendar.month_name[1:])

Span = tuple[int, int]
"""First and last, both included."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z|(24):(00)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInterval:
    """A moment is inside if every kind that is given holds it; kinds left out hold always.

    `minutes` of the day have an end that is not included. Weekdays count from Sunday, 0;
    negative days of the month from its end, -1.
    """

    minutes: tuple[Span, ...] = ()
    weekdays: tuple[Span, ...] = ()
    days_of_month: tuple[Span, ...] = ()
    months: tuple[Span, ...] = ()
    years: tuple[Span, ...] = ()
    zone: ZoneInfo | None = None

    def contains(self, time_ns: int) -> bool:
        """Whether the moment is inside."""
        moment = datetime.fromtimestamp(time_ns // 1_000_000_000, tz=self.zone or UTC)
        minute = moment.hour * 60 + moment.minute
        in_day = not self.minutes or any(start <= minute < end for start, end in self.minutes)
        return (
            in_day
            and _within(self.weekdays, moment.isoweekday() % 7)
            and self._holds_day(moment)
            and _within(self.months, moment.month)
            and _within(self.years, moment.year)
        )

    def _holds_day(self, moment: datetime) -> bool:
        if not self.days_of_month:
            return True
        length = calendar.monthrange(moment.year, moment.month)[1]
        for first, last in self.days_of_month:
            start = first if first > 0 else length + first + 1
            end = last if last > 0 else length + last + 1
            if max(start, 1) <= moment.day <= min(end, length):
                return True
        return False


def parse_minute(text: str) -> int:
    """Return the minute of the day of `HH:MM`; 24:00 is the end of the day. Raises ValueError."""
    match = _CLOCK.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time of day: write 09:00, at most 24:00")
    return int(match[1] or match[3]) * 60 + int(match[2] or match[4])


def parse_minutes(start: str, end: str) -> Span:
    """Return a part of a day in minutes. Raises ValueError."""
    span = parse_minute(start), parse_minute(end)
    if span[0] >= span[1]:
        raise ValueError(f"{start} to {end} ends before it starts: split it at midnight")
    return span


def parse_span(text: str, names: Sequence[str] = (), *, base: int = 1) -> Span:
    """Return `first:last`, or one value for both, by number or name. Raises ValueError."""
    first, _, last = text.partition(":")
    span = _number(first, names, base), _number(last or first, names, base)
    same_sign = (span[0] < 0) == (span[1] < 0)
    if same_sign and span[0] > span[1]:
        raise ValueError(f"{text!r} ends before it starts")
    return span


def parse_zone(name: str) -> ZoneInfo:
    """Return an IANA time zone. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"time zone {name!r} is not known here") from None


def _number(text: str, names: Sequence[str], base: int) -> int:
    word = text.strip().lower()
    if word in names:
        return names.index(word) + base
    if names is WEEKDAYS or not re.fullmatch(r"-?\d+", word):
        raise ValueError(f"{text!r} is not known here")
    return int(word)


def _within(spans: tuple[Span, ...], value: int) -> bool:
    return not spans or any(first <= value <= last for first, last in spans)
