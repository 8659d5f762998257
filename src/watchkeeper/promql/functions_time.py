"""Functions of the calendar, UTC."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from watchkeeper.promql.grid import Floats, Ints

Seconds = NDArray[np.datetime64]


def _minute(moment: Seconds) -> Ints:
    part: Ints = (moment - moment.astype("M8[h]")).astype("m8[m]").astype(np.int64)
    return part


def _hour(moment: Seconds) -> Ints:
    part: Ints = (moment - moment.astype("M8[D]")).astype("m8[h]").astype(np.int64)
    return part


def _day_of_week(moment: Seconds) -> Ints:
    return (moment.astype("M8[D]").astype(np.int64) + 4) % 7


def _day_of_month(moment: Seconds) -> Ints:
    part: Ints = (moment.astype("M8[D]") - moment.astype("M8[M]")).astype(np.int64) + 1
    return part


def _day_of_year(moment: Seconds) -> Ints:
    part: Ints = (moment.astype("M8[D]") - moment.astype("M8[Y]")).astype(np.int64) + 1
    return part


def _days_in_month(moment: Seconds) -> Ints:
    month = moment.astype("M8[M]")
    part: Ints = ((month + 1).astype("M8[D]") - month.astype("M8[D]")).astype(np.int64)
    return part


def _month(moment: Seconds) -> Ints:
    return moment.astype("M8[M]").astype(np.int64) % 12 + 1


def _year(moment: Seconds) -> Ints:
    return moment.astype("M8[Y]").astype(np.int64) + 1970


_PARTS: dict[str, Callable[[Seconds], Ints]] = {
    "day_of_month": _day_of_month,
    "day_of_week": _day_of_week,
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "hour": _hour,
    "minute": _minute,
    "month": _month,
    "year": _year,
}

CALENDAR = frozenset(_PARTS)
"""The functions that `calendar` knows."""

_FURTHEST_SECONDS = 1e14
"""Beyond this many seconds there is no calendar; the answer is NaN."""


def calendar(name: str, seconds: Floats) -> Floats:
    """Return a part of the date of each value, taken as seconds since the epoch."""
    known = np.abs(seconds) < _FURTHEST_SECONDS
    whole = np.trunc(np.where(known, seconds, 0)).astype(np.int64)
    part = _PARTS[name](whole.astype("M8[s]"))
    return np.where(known, part.astype(np.float64), np.nan)
