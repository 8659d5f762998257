"""JSON text into a tree with places."""

from __future__ import annotations

import re
from json import decoder
from typing import Any

from watchkeeper.check.document import DocumentError, Node, Value
from watchkeeper.check.source import Source

_BLANK = re.compile(r"[ \t\r\n]*")
_ATOM = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false|null")
_scan_string: Any = getattr(decoder, "scanstring")  # noqa: B009  typeshed does not know it
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}


def read_json(source: Source) -> Node:
    """Return the value of a JSON file. Raises DocumentError with the offset."""
    reader = _Reader(source)
    try:
        node, position = reader.value(reader.blank(0))
    except RecursionError:
        raise DocumentError("is nested too deeply", 0) from None
    if reader.blank(position) != len(source.text):
        raise DocumentError("something stands after the end", reader.blank(position))
    return node


class _Reader:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text

    def blank(self, position: int) -> int:
        found = _BLANK.match(self._text, position)
        return found.end() if found else position

    def value(self, start: int, key: tuple[int, int] | None = None) -> tuple[Node, int]:
        opening = self._text[start : start + 1]
        if opening == "{":
            entries, end = self._object(start)
            return Node(entries, self._source, start, end, key=key), end
        if opening == "[":
            elements, end = self._array(start)
            return Node(elements, self._source, start, end, key=key), end
        if opening == '"':
            text, end = self._string(start)
            return Node(text, self._source, start, end, text, '"', key), end
        return self._atom(start, key)

    def _atom(self, start: int, key: tuple[int, int] | None) -> tuple[Node, int]:
        found = _ATOM.match(self._text, start)
        if found is None:
            raise DocumentError("a value is missing here", start)
        text = found[0]
        if text in _WORDS:
            value = _WORDS[text]
        else:
            value = float(text) if found[1] or found[2] else int(text)
        return Node(value, self._source, start, found.end(), text, key=key), found.end()

    def _string(self, start: int) -> tuple[str, int]:
        try:
            text, end = _scan_string(self._text, start + 1, True)
        except ValueError:
            raise DocumentError("this string is not closed or has a wrong escape", start) from None
        return str(text), int(end)

    def _object(self, start: int) -> tuple[dict[str, Node], int]:
        entries: dict[str, Node] = {}
        position = self.blank(start + 1)
        while self._text[position : position + 1] != "}":
            if self._text[position : position + 1] != '"':
                raise DocumentError('a name in double quotes or "}" is missing here', position)
            name, end = self._string(position)
            if name in entries:
                raise DocumentError(f"the key {name!r} is given twice", position)
            colon = self.blank(end)
            if self._text[colon : colon + 1] != ":":
                raise DocumentError('":" is missing here', colon)
            entries[name], after = self.value(self.blank(colon + 1), (position, end))
            position = self._next(after, "}")
        return entries, position + 1

    def _array(self, start: int) -> tuple[list[Node], int]:
        elements: list[Node] = []
        position = self.blank(start + 1)
        while self._text[position : position + 1] != "]":
            element, after = self.value(position)
            elements.append(element)
            position = self._next(after, "]")
        return elements, position + 1

    def _next(self, position: int, closing: str) -> int:
        """Go over a comma; a comma before the closing sign is refused."""
        position = self.blank(position)
        sign = self._text[position : position + 1]
        if sign == closing:
            return position
        if sign != ",":
            raise DocumentError(f'"," or "{closing}" is missing here', position)
        after = self.blank(position + 1)
        if self._text[after : after + 1] == closing:
            raise DocumentError("a comma stands before the end", position)
        return after
