"""Elasticsearch's bulk format: an action on one line, its document on the next.

Source: elastic.co, "Bulk API". Log records are only ever added: `create` and `index` are taken,
`update` and `delete` are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from watchkeeper.errors import DecodeError
from watchkeeper.wire.json_lines import read_objects
from watchkeeper.wire.record_making import maker

ADDING = ("create", "index")
_WITHOUT_DOCUMENT = "delete"
_NO_OBJECT = "the document is not a JSON object"
_KNOWN = (*ADDING, "update", _WITHOUT_DOCUMENT)


@dataclass(frozen=True, slots=True)
class BulkItem:
    """One action. `document` is None where `problem` says why it cannot be taken."""

    action: str
    index: str
    id: str
    document: dict[str, Any] | None
    problem: str = ""


_make_item = maker(BulkItem)


def read_bulk(body: bytes, index: str = "") -> list[BulkItem]:
    """Return the actions of a body; `index` is that of actions that name none.

    Raises DecodeError where an action cannot be read, since nobody knows what follows then.
    """
    lines = [line for line in body.split(b"\n") if line.strip()]
    return _of_one_action(lines, index) or _one_by_one(read_objects(lines), index)


def _of_one_action(lines: list[bytes], index: str) -> list[BulkItem]:
    """Return what shippers send: documents of one action, said again for each. [] if it is not."""
    if len(lines) % 2 or len(set(lines[::2])) != 1:
        return []
    action, target = _action(read_objects(lines[:1])[0], 0)
    place, name = str(target.get("_index") or index), str(target.get("_id") or "")
    if action not in ADDING or not place:
        return []
    return [
        _make_item(action, place, name, document, _NO_OBJECT if document is None else "")
        for document in read_objects(lines[1::2])
    ]


def _one_by_one(lines: list[dict[str, Any] | None], index: str) -> list[BulkItem]:
    items: list[BulkItem] = []
    number = 0
    while number < len(lines):
        action, target = _action(lines[number], number)
        place = str(target.get("_index") or index)
        name = str(target.get("_id") or "")
        number += 1
        document: dict[str, Any] | None = None
        problem = "" if action in ADDING else f"{action}: log records are only ever added"
        if action != _WITHOUT_DOCUMENT:
            if number >= len(lines):
                raise DecodeError(f"bulk: the last action, {action}, has no document")
            if not problem:
                document = lines[number]
                problem = "" if document is not None else _NO_OBJECT
            number += 1
        if not place:
            document, problem = None, "an action names no index"
        items.append(_make_item(action, place, name, document, problem))
    return items


def _action(found: dict[str, Any] | None, number: int) -> tuple[str, dict[str, Any]]:
    if found is None or len(found) != 1:
        raise DecodeError(f"bulk: line {number + 1} is not an action")
    ((action, target),) = found.items()
    if action not in _KNOWN or not isinstance(target, dict):
        raise DecodeError(f"bulk: line {number + 1}: {action[:20]!r} is not an action")
    return action, target
