"""Logging of the standard library and of structlog, led into one handler while we run."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, MutableMapping
from typing import Any

from watchkeeper.clock import Clock
from watchkeeper.instrument.faults import LOGGER
from watchkeeper.instrument.log_handler import (
    SILENCED,
    QueueHandler,
    current_ids,
    error_details,
)
from watchkeeper.instrument.records import PendingLog
from watchkeeper.model import Severity

_SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "gunicorn.error")


_SEVERITIES = {
    "debug": Severity.DEBUG,
    "info": Severity.INFO,
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "error": Severity.ERROR,
    "exception": Severity.ERROR,
    "critical": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
}
"""By the method of a structlog logger."""


class LoggingSetup:
    """Installs the handler on the root logger, once, and takes it away again."""

    def __init__(self, handler: QueueHandler) -> None:
        self._handler = handler
        self._level: int | None = None
        self._structlog = False

    def install(self, put: Callable[[PendingLog], None], clock: Clock) -> None:
        """Lead all logging into the handler; INFO and up, unless the root logger says more."""
        root = logging.getLogger()
        if self._handler in root.handlers:
            return
        root.addHandler(self._handler)
        if root.level in (logging.NOTSET, logging.WARNING):
            self._level = root.level
            root.setLevel(logging.INFO)
        self._structlog = configure_structlog(put, clock)

    def remove(self) -> None:
        """Undo `install`."""
        root = logging.getLogger()
        root.removeHandler(self._handler)
        if self._level is not None:
            root.setLevel(self._level)
            self._level = None
        if self._structlog:
            import structlog

            structlog.reset_defaults()
            self._structlog = False


def adopt_server_loggers() -> Callable[[], None]:
    """Let the lines of uvicorn and gunicorn end in the same place, which print them by themselves
    otherwise, exceptions and all. Return what undoes it.

    uvicorn's access lines are replaced by ours. It makes none for a logger that leads nowhere: to
    make and drop them would cost more than all that we do in a request.
    """
    names = (*_SERVER_LOGGERS, *SILENCED)
    before = [
        (logger, tuple(logger.handlers), logger.propagate)
        for logger in map(logging.getLogger, names)
    ]
    for logger, _, _ in before:
        logger.handlers.clear()
        logger.propagate = logger.name not in SILENCED

    def undo() -> None:
        for logger, handlers, propagate in before:
            logger.handlers[:] = handlers
            logger.propagate = propagate

    return undo


def configure_structlog(put: Callable[[PendingLog], None], clock: Clock) -> bool:
    """Lead structlog into the queue, unless it is absent or the service configured it itself.

    A service that does puts `structlog.stdlib.LoggerFactory()` at the end, and its lines arrive
    through the root logger; of one that prints them by itself that is told.
    """
    if importlib.util.find_spec("structlog") is None:
        return False
    import structlog

    if structlog.is_configured():
        factory = structlog.get_config()["logger_factory"]
        if not isinstance(factory, structlog.stdlib.LoggerFactory):
            LOGGER.warning(
                "structlog is configured to write lines by itself (%s): they are neither redacted "
                "nor sent; give it structlog.stdlib.LoggerFactory()",
                type(factory).__name__,
            )
        return False

    def enqueue(logger: Named, method: str, event: MutableMapping[str, Any]) -> Any:
        put(_pending(event, method, logger.name, clock))
        raise structlog.DropEvent

    level = logging.getLogger().getEffectiveLevel()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, enqueue],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=Named,
    )
    return True


class Named:
    """What structlog writes to: a name, as `structlog.get_logger("shop.orders")` gives it."""

    __slots__ = ("name",)

    def __init__(self, *names: object) -> None:
        self.name = str(names[0]) if names and names[0] else "structlog"


def _pending(event: MutableMapping[str, Any], method: str, name: str, clock: Clock) -> PendingLog:
    fields = {str(name): value for name, value in event.items()}
    raised = fields.pop("exc_info", None) or (method == "exception")
    if raised is True:
        import sys

        raised = sys.exc_info()[1]
    elif isinstance(raised, tuple):
        raised = raised[1]
    return PendingLog(
        clock.time_ns(),
        _SEVERITIES.get(method, Severity.INFO),
        str(fields.pop("logger", name)),
        str(fields.pop("event", "")),
        fields,
        *current_ids(),
        error_details(raised) if isinstance(raised, BaseException) else None,
    )
