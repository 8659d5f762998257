"""Declared log events, checked against their declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.contract import LogEvent
from watchkeeper.errors import ContractError
from watchkeeper.instrument.faults import Faults
from watchkeeper.instrument.log_handler import current_ids, error_details
from watchkeeper.instrument.records import PendingLog

EVENT_FIELD = "event"
"""The field that holds an event's name."""


def pending_event(
    event: LogEvent, fields: Mapping[str, Any], timestamp_ns: int, faults: Faults
) -> PendingLog:
    """Return the event's line. Undeclared fields are left out; `exception` may be given always."""
    kept: dict[str, Any] = {EVENT_FIELD: event.name}
    declared = {field.name: field for field in event.fields}
    error = None
    for name, value in fields.items():
        if name == "exception" and isinstance(value, BaseException):
            error = error_details(value)
            continue
        field = declared.get(name)
        if field is None:
            faults.note("log", ContractError(f"log event {event.name}: no field {name!r}"))
            continue
        if value is not None and not _fits(value, field.type):
            faults.note(
                "log",
                ContractError(
                    f"log event {event.name}: {name} is {field.type.__name__}, "
                    f"got {type(value).__name__}"
                ),
            )
        kept[name] = value
    severity = event.severity.value
    return (timestamp_ns, severity, event.name, event.message, kept, *current_ids(), error)


def _fits(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)
