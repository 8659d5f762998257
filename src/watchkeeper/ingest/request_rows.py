"""The records of an OTLP export request, as rows: where each stands and what fields it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from watchkeeper.ingest.message_fields import Content, Field, NotAlikeError, Places
from watchkeeper.wire import attribute_text
from watchkeeper.wire.otlp_attributes import decode_attributes
from watchkeeper.wire.otlp_decode import scope_of, split_service
from watchkeeper.wire.protobuf import FIXED64, LENGTH, VARINT, key, read_fields

Item = TypeVar("Item")
_Member = tuple[int, int, int]
"""A field's key, and where its content begins and ends."""

_GROUP = key(1, LENGTH)
_RESOURCE = key(1, LENGTH)
_SCOPE_GROUP = key(2, LENGTH)
_SCOPE = key(1, LENGTH)
_RECORD = key(2, LENGTH)
_ATTRIBUTE = key(1, LENGTH)


@dataclass(slots=True)
class Messages:
    """Where the records of a request stand, and of each its service, resource and scope."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    scope_versions: list[str] = field(default_factory=list)


class RequestRows:
    """The messages of a request, and their fields. Raises NotAlikeError."""

    def __init__(self, body: bytes) -> None:
        self.messages = _framed(body)
        self.count = len(self.messages.starts)
        self.content = Content(body)
        starts, ends = np.array(self.messages.starts), np.array(self.messages.ends)
        self._fields = self.content.fields(starts, ends)
        self.longest_bytes = int((ends - starts).max(initial=0))

    def of(self, number: int, wire_type: int) -> Field | None:
        """Return where a field stands, or None where no message has it."""
        return self._fields.get(key(number, wire_type))

    def fixed64(self, number: int) -> list[int]:
        """Return a field's number of each message, 0 where it has none."""
        found = np.zeros(self.count, np.uint64)
        where = self.of(number, FIXED64)
        if where is not None:
            found[where.rows] = self.content.words_at(where.starts)
        return found.tolist()

    def varints(self, number: int) -> Places:
        """Return a field's number of each message, 0 where it has none."""
        found = np.zeros(self.count, np.int64)
        where = self.of(number, VARINT)
        if where is not None:
            found[where.rows] = self.content.varints(where.starts)[0]
        return found

    def ids(self, number: int, size: int) -> list[str]:
        """Return a field's id of each message, '' where it has none."""
        where = self.of(number, LENGTH)
        if where is None:
            return [""] * self.count
        sizes = where.ends - where.starts
        there = sizes != 0
        if (sizes[there] != size).any():
            raise NotAlikeError
        found = self.content.hexes(where.starts[there], size)
        if len(found) < len(sizes):
            known = iter(found)
            found = [next(known) if each else "" for each in there.tolist()]
        return self.by_message(where, "", found)

    def texts(self, number: int) -> list[str]:
        """Return a field's text of each message, '' where it has none."""
        where = self.of(number, LENGTH)
        if where is None:
            return [""] * self.count
        return self.by_message(where, "", self.content.texts(where.starts, where.ends))

    def by_message(self, where: Field, lacking: Item, found: list[Item]) -> list[Item]:
        """Return what was found in a field of each message; where it stands twice, the last."""
        if len(found) == self.count and np.array_equal(where.rows, np.arange(self.count)):
            return found
        every = [lacking] * self.count
        for row, item in zip(where.rows.tolist(), found, strict=True):
            every[row] = item
        return every

    def items(self, number: int, decode: Callable[[bytes], Item], lacking: Item) -> list[Item]:
        """Return what is made of a field of each message."""
        where = self.of(number, LENGTH)
        if where is None:
            return [lacking] * self.count
        found = [decode(content) for content in self.content.slices(where.starts, where.ends)]
        return self.by_message(where, lacking, found)

    def lists(self, number: int, decode: Callable[[bytes], Item]) -> list[tuple[Item, ...]]:
        """Return what a repeated field holds, by message."""
        every: list[tuple[Item, ...]] = [()] * self.count
        where = self.of(number, LENGTH)
        if where is not None:
            contents = self.content.slices(where.starts, where.ends)
            for row, content in zip(where.rows.tolist(), contents, strict=True):
                every[row] += (decode(content),)
        return every


def _framed(body: bytes) -> Messages:
    found = Messages()
    for group_key, start, end in _members(body, 0, len(body)):
        if group_key == _GROUP:
            parts = _members(body, start, end)
            service, resource = _resource(body, parts)
            for part_key, begin, stop in parts:
                if part_key == _SCOPE_GROUP:
                    _add_scope(found, body, _members(body, begin, stop), service, resource)
    return found


def _resource(body: bytes, parts: list[_Member]) -> tuple[str, str]:
    """Return a group's service and the text of its other attributes."""
    content = _last(body, parts, _RESOURCE)
    attributes = [each for field_key, each in read_fields(content) if field_key == _ATTRIBUTE]
    service, resource = split_service(decode_attributes(attributes))
    return service, attribute_text.encode(resource)


def _add_scope(
    found: Messages, body: bytes, members: list[_Member], service: str, resource: str
) -> None:
    records = [(start, end) for member_key, start, end in members if member_key == _RECORD]
    scope = scope_of([(_SCOPE, body[s:e]) for member_key, s, e in members if member_key == _SCOPE])
    found.starts += [start for start, _ in records]
    found.ends += [end for _, end in records]
    found.services += [service] * len(records)
    found.resources += [resource] * len(records)
    found.scopes += [scope.name] * len(records)
    found.scope_versions += [scope.version] * len(records)


def _last(body: bytes, members: list[_Member], wanted: int) -> bytes:
    content = b""
    for member_key, start, end in members:
        if member_key == wanted:
            content = body[start:end]
    return content


def _members(body: bytes, offset: int, end: int) -> list[_Member]:
    """Return the fields of a message all of which have lengths of at most three bytes."""
    found = []
    while offset < end:
        member_key = body[offset]
        size, start = body[offset + 1], offset + 2
        if size > 127:
            more = body[start]
            size, start = size + (more << 7) - 128, start + 1
            if more > 127:
                size, start = size + (body[start] << 14) - (128 << 7), start + 1
                if size >> 21:
                    raise NotAlikeError
        if member_key & 7 != LENGTH or member_key > 127:
            raise NotAlikeError
        offset = start + size
        found.append((member_key, start, offset))
    if offset != end:
        raise NotAlikeError
    return found
