"""The text of a series, `name{label="value"}`, and what it means.

A target writes the same series at every scrape, so the meaning is remembered by its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from watchkeeper.errors import DecodeError
from watchkeeper.model import METRIC_NAME, Labels

if TYPE_CHECKING:
    from watchkeeper.wire.page_shape import PageShape

METRIC_NAME_PATTERN = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL_NAME_PATTERN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_SPARE_ENTRIES = 1_000

_LABEL = re.compile(
    r"""[ \t]*
    (?: (?P<name>[a-zA-Z_][a-zA-Z0-9_]*+) | "(?P<quoted>[^"\\\n]*+(?:\\.[^"\\\n]*+)*)" ) [ \t]*
    (?: = [ \t]* "(?P<value>[^"\\\n]*+(?:\\.[^"\\\n]*+)*)" [ \t]* )?
    (?P<end>,|\Z)""",
    re.VERBOSE,
)
_END = re.compile(r"[ \t]*\Z")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}

Transform = Callable[[Labels], Labels | None]


class SeriesCache:
    """What the series of one target mean, `transform` (relabelling) applied.

    `transform` returns the label set to keep, or None for a series to drop. Used by one scrape
    at a time. Holds about as many entries as the last body had samples. `shape` is that of the
    last page whose lines were all known.
    """

    def __init__(self, transform: Transform | None = None) -> None:
        self._transform = transform
        self._known: dict[str, Labels | None] = {}
        self._parts: dict[str, tuple[str, Labels]] = {}
        self.shape: PageShape | None = None

    @property
    def parts(self) -> dict[str, tuple[str, Labels]]:
        """Name and labels as the target wrote them, by series text, for reading."""
        return self._parts

    @property
    def known(self) -> dict[str, Labels | None]:
        """The remembered meanings by series text, for reading."""
        return self._known

    def learn(self, series: str, name: str, pairs: dict[str, str]) -> Labels | None:
        """Remember and return what `series` means. `pairs` are its labels without the name."""
        plain = {**pairs, METRIC_NAME: name}
        labels: Labels | None = tuple(sorted([item for item in plain.items() if item[1]]))
        if self._transform is not None and labels is not None:
            labels = self._transform(labels)
        self._known[series] = labels
        self._parts[series] = (name, tuple(sorted(pairs.items())))
        return labels

    def trim(self, used: int) -> None:
        """Forget everything once most of it was not used by the last body."""
        if len(self._known) > 2 * used + _SPARE_ENTRIES:
            self._known.clear()
            self._parts.clear()


def parse_labels(text: str, where: str) -> tuple[str, dict[str, str]]:
    """Return the labels between the braces, and the metric name if it stands there in quotes.

    Raises DecodeError, which begins with `where`: malformed, or a label given twice.
    """
    name = ""
    pairs: dict[str, str] = {}
    offset = 0
    while not _END.match(text, offset):
        match = _LABEL.match(text, offset)
        if match is None:
            raise DecodeError(f"{where}: labels are malformed at {text[offset : offset + 40]!r}")
        offset = match.end()
        label = match["name"] or unescape(match["quoted"] or "")
        value = match["value"]
        if value is None:
            if match["quoted"] is None or name:
                raise DecodeError(f"{where}: label {label!r} has no value")
            name = label
            continue
        if label in pairs:
            raise DecodeError(f"{where}: label {label!r} is given twice")
        pairs[label] = unescape(value)
    return name, pairs


def unescape(text: str) -> str:
    r"""Return text with `\\n`, `\\"` and `\\\\` resolved; other backslashes stay as they are."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), text)


def parse_number(text: str) -> float:
    """Return a number as Go's ParseFloat reads it, hexadecimal apart. Raises ValueError."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)
