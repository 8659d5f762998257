"""Many JSON documents that say what was logged, read to columns at once.

Documents of one shipper have few sets of names between them: what names mean is worked out once
for each, and what values mean once for each distinct one. They come to the same as those of
wire.log_document, in half the time. What is unusual or wrong is read there, one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from watchkeeper.errors import DecodeError
from watchkeeper.wire import attribute_text
from watchkeeper.wire.log_document import (
    KNOWN_FIELDS,
    PLAIN,
    RESOURCE_FIELDS,
    SPAN_ID,
    TRACE_ID,
    Meanings,
    as_text,
    flat,
    meanings_of,
    read_time,
    severity_of,
)
from watchkeeper.wire.otlp_attributes import as_attribute
from watchkeeper.wire.record_columns import LogColumns

FEWEST_OF_A_KIND = 12
"""Of documents with the same names in the same order; fewer are read sooner one by one."""

Item = TypeVar("Item")
_Table = dict[str, Sequence[Any]]
"""The values of documents with the same names, by name."""
_USUAL = int(severity_of(None))


class _UnusualError(Exception):
    """These documents are to be read one by one."""


def read_documents(
    documents: Sequence[Mapping[str, Any]], *, now_ns: int, service: str, most_attributes: int
) -> LogColumns | None:
    """Return the records that documents mean, in their order, or None: read them one by one.

    `now_ns` is their time and `service` their service where they name none. None of the records
    has more than `most_attributes`.
    """
    found = list(map(flat, documents))
    places: dict[tuple[str, ...], list[int]] = {}
    for place, document in enumerate(found):
        places.setdefault(tuple(document), []).append(place)
    if len(places) * FEWEST_OF_A_KIND > len(found):
        return None
    try:
        kinds = []
        for names, alike in places.items():
            values = zip(*[found[place].values() for place in alike], strict=True)
            table: _Table = dict(zip(names, values, strict=True))
            kinds.append(_columns(table, len(alike), now_ns, service))
            if len(table) > most_attributes:
                return None
    except (_UnusualError, DecodeError):
        return None
    return kinds[0] if len(kinds) == 1 else _in_order(kinds, list(places.values()))


def _columns(table: _Table, count: int, now_ns: int, service: str) -> LogColumns:
    """Return the records of a table; attributes are left in it. Raises DecodeError."""
    meanings = meanings_of(KNOWN_FIELDS.intersection(table))
    if meanings.renamed:
        raise _UnusualError

    def column(name: str | None, read: Callable[[Any], Item], lacking: Item) -> list[Item]:
        return [lacking] * count if name is None else _each(table.pop(name), read)

    return LogColumns(
        timestamp_ns=column(meanings.time, read_time, now_ns),
        severity=column(meanings.level, lambda level: int(severity_of(level)), _USUAL),
        message=column(meanings.message, as_text, ""),
        service=column(meanings.service, lambda name: str(name or service), service),
        logger=column(meanings.logger, lambda name: str(name or ""), ""),
        trace_id=_identifiers(table, meanings.trace_id, TRACE_ID, count),
        span_id=_identifiers(table, meanings.span_id, SPAN_ID, count),
        resource=_resources(table, meanings, count),
        attributes=_attributes(table, count),
    )


def _each(values: Sequence[Any], read: Callable[[Any], Item]) -> list[Item]:
    """Return what is read from each value; of texts, what is the same is read once."""
    if set(map(type, values)) != {str}:
        return list(map(read, values))
    known = {value: read(value) for value in dict.fromkeys(values)}
    return list(map(known.__getitem__, values))


def _identifiers(table: _Table, names: list[str], shape: re.Pattern[str], count: int) -> list[str]:
    if not names:
        return [""] * count
    found = [value.lower() for value in table[names[0]] if type(value) is str]
    if len(names) > 1 or len(found) < count or not all(map(shape.match, found)):
        raise _UnusualError
    del table[names[0]]
    return found


def _resources(table: _Table, meanings: Meanings, count: int) -> list[str]:
    if not meanings.resource:
        return [""] * count
    said = list(zip(*[table.pop(name) for name in meanings.resource], strict=True))
    names = [RESOURCE_FIELDS[name] for name in meanings.resource]

    def encoded(values: tuple[Any, ...]) -> str:
        if set(map(type, values)) != {str}:
            raise _UnusualError
        pairs = zip(names, values, strict=True)
        return attribute_text.encode({name: value for name, value in pairs if value})

    try:
        known = {values: encoded(values) for values in dict.fromkeys(said)}
    except TypeError:
        raise _UnusualError from None
    return list(map(known.__getitem__, said))


def _attributes(table: _Table, count: int) -> list[str]:
    if not table:
        return [""] * count
    names = list(table)
    rows = zip(*map(_as_attributes, table.values()), strict=True)
    return attribute_text.encode_column([dict(zip(names, row, strict=True)) for row in rows])


def _as_attributes(values: Sequence[Any]) -> Sequence[Any]:
    return values if PLAIN.issuperset(map(type, values)) else list(map(as_attribute, values))


def _in_order(kinds: Sequence[LogColumns], places: Sequence[list[int]]) -> LogColumns:
    """Return the records of several kinds, each at its place."""
    where = [place for each in places for place in each]
    order = sorted(range(len(where)), key=where.__getitem__)

    def joined(name: str) -> list[Any]:
        values = [value for kind in kinds for value in getattr(kind, name)]
        return list(map(values.__getitem__, order))

    return LogColumns(**{each.name: joined(each.name) for each in fields(LogColumns)})
