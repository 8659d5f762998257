"""Where things stand: the text of a file, places in it, and values that were read from it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache

_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}
_BLANK = " \n\t\r"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A stretch of a file, lines and columns counted from one, the end not included."""

    file: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Edit:
    """A change to a file: what stands between two offsets of its text gives way."""

    file: str
    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file's name and text."""

    name: str
    text: str
    _line_starts: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = [0]
        position = self.text.find("\n")
        while position >= 0:
            starts.append(position + 1)
            position = self.text.find("\n", position + 1)
        object.__setattr__(self, "_line_starts", tuple(starts))

    def place(self, start: int, end: int) -> Place:
        """Return the place of two offsets into the text."""
        line, column = self._position(start)
        end_line, end_column = self._position(max(start, end))
        return Place(self.name, line, column, end_line, end_column)

    def line(self, number: int) -> str:
        """Return a line by its number, counted from one."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]

    def start_of(self, line: int) -> int:
        """Return the offset at which a line, counted from one, begins."""
        return self._line_starts[line - 1]

    @property
    def lines(self) -> int:
        """How many lines the text has."""
        return len(self._line_starts)

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A value and where it was read: `start` and `end` are offsets of how it is written.

    `style` is the quote or block sign that it is written with ('' for plain). `exact` is False
    where the value is made by code, and only the place of the whole is known.
    """

    value: str
    source: Source
    start: int
    end: int
    style: str = ""
    exact: bool = True

    def __str__(self) -> str:
        return self.value

    def place(self, start: int = 0, end: int | None = None) -> Place:
        """Return the place of a part of the value, or of the whole where parts are not known."""
        if not self.exact:
            return self.source.place(self.start, self.end)
        if end is None:
            return self.source.place(self._offset(start), self.end)
        return self.source.place(self._offset(start), self._offset(end))

    def edit(self, start: int, end: int, replacement: str) -> tuple[Edit, ...]:
        """Return the change that replaces a part of the value; nothing where it is escaped, or
        where it stands in code, which is imported and not read."""
        if not self.exact or self.source.name.endswith(".py"):
            return ()
        first, last = self._offset(start), self._offset(end)
        if self.source.text[first:last] != self.value[start:end]:
            return ()
        return (Edit(self.source.name, first, last, replacement),)

    def _offset(self, position: int) -> int:
        offsets = _offsets(self.value, self.source.text[self.start : self.end], self.style)
        return self.start + offsets[min(position, len(self.value))]


@lru_cache(maxsize=4096)
def _offsets(value: str, written: str, style: str) -> tuple[int, ...]:
    """Return for each character of a value where it is written, and where the value ends."""
    return tuple(_Alignment(value, written, style).offsets())


class _Alignment:
    """Goes through a value and the way it is written side by side."""

    def __init__(self, value: str, written: str, style: str) -> None:
        self._value = value
        self._written = written
        self._style = style
        self._at = 0
        self._indent = 0
        if style in ("|", ">"):
            self._at = written.find("\n") + 1
            self._indent = _first_indent(written[self._at :]) - _first_indent(value)
        elif style:
            self._at = 1

    def offsets(self) -> list[int]:
        found = []
        self._skip_indent()
        for character in self._value:
            self._find(character)
            found.append(min(self._at, len(self._written)))
            self._step(character)
        return [*found, min(self._at, len(self._written))]

    def _here(self) -> str:
        return self._written[self._at : self._at + 1]

    def _find(self, character: str) -> None:
        """Go over what is written and not part of the value: joints of lines, blank ends."""
        here = self._here()
        if here == "\\" and self._style == '"':
            if self._written[self._at + 1 : self._at + 2] == "\n":
                self._at += 2
                self._skip_blank()
            return
        if here != character and here in _BLANK and character not in _BLANK:
            self._skip_blank()

    def _step(self, character: str) -> None:
        here = self._here()
        if here == "\\" and self._style == '"':
            code = self._written[self._at + 1 : self._at + 2]
            self._at += _ESCAPE_LENGTHS.get(code, 2)
        elif here == "'" and self._style == "'":
            self._at += 2
        elif here != character and here in _BLANK:
            self._skip_blank()
        else:
            self._at += 1
            if here == "\n":
                self._skip_indent()

    def _skip_blank(self) -> None:
        while self._here() and self._here() in _BLANK:
            self._at += 1

    def _skip_indent(self) -> None:
        limit = self._at + self._indent
        while self._at < limit and self._here() == " ":
            self._at += 1


def _first_indent(body: str) -> int:
    for line in body.split("\n"):
        if line.strip():
            return len(line) - len(line.lstrip(" "))
    return 0
