"""Errors of queries are classed by SQLSTATE, and those without one by what they are."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from watchkeeper.conventions import database
from watchkeeper.instrument.database import error_type


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.ConnectionDoesNotExistError(), "connection"),
        (asyncpg.InvalidPasswordError(), "connection"),
        (asyncpg.AdminShutdownError(), "connection"),
        (asyncpg.UniqueViolationError(), "constraint"),
        (asyncpg.ForeignKeyViolationError(), "constraint"),
        (asyncpg.PostgresSyntaxError(), "syntax"),
        (asyncpg.UndefinedTableError(), "syntax"),
        (asyncpg.InvalidTextRepresentationError(), "syntax"),
        (asyncpg.SerializationError(), "serialization"),
        (asyncpg.DeadlockDetectedError(), "serialization"),
        (asyncpg.TooManyConnectionsError(), "resources"),
        (asyncpg.DiskFullError(), "resources"),
        (asyncpg.QueryCanceledError(), "cancelled"),
        (asyncpg.RaiseError(), "other"),
        (asyncpg.InterfaceError("closed"), "connection"),
        (asyncio.CancelledError(), "cancelled"),
        (TimeoutError(), "timeout"),
        (ConnectionResetError(), "connection"),
        (ValueError(), "other"),
    ],
)
def test_an_error_has_the_class_of_its_state(error: BaseException, kind: str) -> None:
    assert error_type(error) == kind
    assert kind in (*database.ERROR_TYPE.values, "other")
