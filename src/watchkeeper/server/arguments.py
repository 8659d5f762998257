"""What a request asks for: parameters from the query and from forms, times, durations, bodies."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from starlette.requests import Request

from watchkeeper.clock import Clock
from watchkeeper.configuration import Duration
from watchkeeper.server.answers import Refusal

MAX_FORM_BYTES = 1 << 20
MAX_JSON_BYTES = 4 << 20
MAX_INFLATED_BYTES = 64 << 20
HOUR_NS = 3_600 * 1_000_000_000

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:([Zz])|([+-]\d\d:\d\d))\Z"
)
_FURTHEST_SECONDS = 9_223_372_036.0
_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799
"""The years 1 to 9999, UTC."""


class Arguments:
    """The parameters of one request; a name may come several times."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of `name`."""
        return self._values.get(name, [default])[0]

    def every(self, name: str) -> list[str]:
        """Return all values of `name`, in the order they came."""
        return self._values.get(name, [])


async def arguments(request: Request) -> Arguments:
    """Return a request's parameters: a form's first, then the query's, as Go's ParseForm does."""
    pairs = request.query_params.multi_items()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind == "application/x-www-form-urlencoded":
        form = await body(request, MAX_FORM_BYTES)
        try:
            pairs = parse_qsl(form.decode(), keep_blank_values=True) + pairs
        except UnicodeDecodeError:
            raise Refusal(400, "bad_form", "the form is not UTF-8") from None
    return Arguments(pairs)


async def body(request: Request, limit_bytes: int) -> bytes:
    """Return a request's body as it came. Raises Refusal 413 beyond the limit."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise Refusal(413, "too_large", f"the body is larger than {limit_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def inflate(data: bytes, encoding: str, limit_bytes: int = MAX_INFLATED_BYTES) -> bytes:
    """Return a body without its Content-Encoding (gzip, deflate, or none).

    Raises Refusal: 415 for another encoding, 400 for damaged data, 413 beyond the limit.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return data
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Refusal(
            415, "bad_encoding", f"Content-Encoding {encoding!r} is not one of gzip, deflate"
        )
    machine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        inflated = machine.decompress(data, limit_bytes)
    except zlib.error:
        raise Refusal(400, "undecodable", f"the body is not valid {encoding}") from None
    if machine.unconsumed_tail:
        raise Refusal(413, "too_large", f"the body inflates beyond {limit_bytes} bytes")
    if not machine.eof:
        raise Refusal(400, "undecodable", f"the body ends in the middle of its {encoding} data")
    return inflated


def timestamp_ns(text: str) -> int:
    """Return a time, given in Unix seconds or RFC 3339, in nanoseconds. Raises ValueError."""
    match = _RFC3339.match(text)
    if match:
        date, time, fraction, _, offset = match.groups()
        moment = datetime.fromisoformat(f"{date}T{time}{offset or '+00:00'}")
        # What cannot be written in UTC again could be taken in, and then never be listed.
        seconds = int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
        if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
            raise ValueError(f"{text} is out of range")
        return seconds * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))
    return _seconds_ns(float(text))


def duration_ns(text: str) -> int:
    """Return a duration, in seconds or as `1h30m`, in nanoseconds. Raises ValueError."""
    with suppress(ValueError):
        return Duration.parse(text).nanoseconds
    return _seconds_ns(float(text))


def _seconds_ns(seconds: float) -> int:
    """Return seconds in nanoseconds, to the millisecond."""
    if not abs(seconds) <= _FURTHEST_SECONDS:
        raise ValueError(f"{seconds} s is out of range")
    return round(seconds * 1000) * 1_000_000


def rfc3339(time_ns: int, *, digits: int = 3) -> str:
    """Return a time as RFC 3339, UTC, with 3 or 9 digits of a second."""
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}.{f'{rest_ns:09d}'[:digits]}Z"


def number(given: Arguments, name: str, default: float) -> float:
    """Return a parameter as a finite number of zero or more. Raises Refusal 400."""
    text = given.first(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < _FURTHEST_SECONDS:
        raise Refusal(400, "bad_parameter", f"`{name}` is a number of zero or more")
    return value


def period(given: Arguments, clock: Clock) -> tuple[int, int]:
    """Return `start` and `end` in nanoseconds; the last hour by default. Raises Refusal 400."""
    try:
        end_ns = timestamp_ns(given.first("end")) if given.first("end") else clock.time_ns()
        start_ns = timestamp_ns(given.first("start")) if given.first("start") else end_ns - HOUR_NS
    except ValueError:
        message = "`start` and `end` are Unix seconds or RFC 3339 times"
        raise Refusal(400, "bad_parameter", message) from None
    if end_ns < start_ns:
        raise Refusal(400, "bad_parameter", "`end` lies before `start`")
    return start_ns, end_ns
