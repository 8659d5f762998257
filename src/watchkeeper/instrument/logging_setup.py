"""Logging of the standard library and of structlog, led into one handler while we run."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, MutableMapping
from functools import lru_cache
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
    "debug": Severity.DEBUG.value,
    "info": Severity.INFO.value,
    "warning": Severity.WARNING.value,
    "warn": Severity.WARNING.value,
    "error": Severity.ERROR.value,
    "exception": Severity.ERROR.value,
    "critical": Severity.CRITICAL.value,
    "fatal": Severity.CRITICAL.value,
}
"""By the method of a structlog logger."""
_INFO = Severity.INFO.value


class LoggingSetup:
    """Installs the handler on the root logger, once, and takes it away again."""

    def __init__(self, handler: QueueHandler) -> None:
        self._handler = handler
        self._level: int | None = None
        self._leave_structlog: Callable[[], None] = _nothing

    def install(self, put: Callable[[PendingLog], None], clock: Clock) -> None:
        """Lead all logging into the handler; INFO and up, unless the root logger says more."""
        root = logging.getLogger()
        if self._handler in root.handlers:
            return
        root.addHandler(self._handler)
        if root.level in (logging.NOTSET, logging.WARNING):
            self._level = root.level
            root.setLevel(logging.INFO)
        self._leave_structlog = configure_structlog(put, clock)

    def remove(self) -> None:
        """Undo `install`."""
        root = logging.getLogger()
        root.removeHandler(self._handler)
        if self._level is not None:
            root.setLevel(self._level)
            self._level = None
        self._leave_structlog()
        self._leave_structlog = _nothing


def _nothing() -> None:
    """Do nothing."""


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


_leading: list[dict[str, Any]] = []
"""structlog's configurations by telemetries that run, the one started last at the end."""


def configure_structlog(put: Callable[[PendingLog], None], clock: Clock) -> Callable[[], None]:
    """Lead structlog into the queue, unless it is absent or the service configured it itself.
    It leads to the telemetry that was started last. Return what undoes it.

    A service that does puts `structlog.stdlib.LoggerFactory()` at the end, and its lines arrive
    through the root logger; of one that prints them by itself that is told.
    """
    if importlib.util.find_spec("structlog") is None:
        return _nothing
    import structlog

    factory = structlog.get_config()["logger_factory"]
    if structlog.is_configured() and factory is not _named:
        if not isinstance(factory, structlog.stdlib.LoggerFactory):
            LOGGER.warning(
                "structlog is configured to write lines by itself (%s): they are neither redacted "
                "nor sent; give it structlog.stdlib.LoggerFactory()",
                type(factory).__name__,
            )
        return _nothing
    configuration = _into_queue(put, clock)
    _leading.append(configuration)
    structlog.configure(**configuration)

    def undo() -> None:
        _leading[:] = [other for other in _leading if other is not configuration]
        if structlog.get_config()["logger_factory"] is not _named:
            return
        if _leading:
            structlog.configure(**_leading[-1])
        else:
            structlog.reset_defaults()

    return undo


def _into_queue(put: Callable[[PendingLog], None], clock: Clock) -> dict[str, Any]:
    """Return the configuration of structlog that leads into the queue."""
    import structlog

    def enqueue(logger: Named, method: str, event: MutableMapping[str, Any]) -> Any:
        put(_pending(event, method, logger.name, clock))
        raise structlog.DropEvent

    level = logging.getLogger().getEffectiveLevel()
    merge = structlog.contextvars.merge_contextvars
    bound_anywhere = getattr(structlog.contextvars, "_CONTEXT_VARS", True)

    class QueueLogger(structlog.make_filtering_bound_logger(level)):  # type: ignore[misc] # made at run time
        """Takes a line to the queue past the processors, which take three times as long; through
        them if somebody has put others in their place, as structlog's `capture_logs` does."""

        def _proxy_to_logger(self, method_name: str, event: Any = None, **fields: Any) -> Any:
            if self._processors[-1:] != [enqueue]:
                return super()._proxy_to_logger(method_name, event, **fields)
            line: MutableMapping[str, Any] = {**self._context, **fields}
            if event is not None:
                line["event"] = event
            if bound_anywhere:
                line = merge(self._logger, method_name, line)
            put(_pending(line, method_name, self._logger.name, clock))
            return None

    return {
        "processors": [merge, enqueue],
        "wrapper_class": QueueLogger,
        "logger_factory": _named,
    }


class Named:
    """What structlog writes to: a name, as `structlog.get_logger("shop.orders")` gives it."""

    __slots__ = ("name",)

    def __init__(self, *names: object) -> None:
        self.name = str(names[0]) if names and names[0] else "structlog"


@lru_cache(maxsize=1024)
def _named(*names: object) -> Named:
    return Named(*names)


def _pending(event: MutableMapping[str, Any], method: str, name: str, clock: Clock) -> PendingLog:
    """Return the line of an event of structlog's, which becomes its fields."""
    raised = event.pop("exc_info", None) or (method == "exception")
    if raised is True:
        import sys

        raised = sys.exc_info()[1]
    elif isinstance(raised, tuple):
        raised = raised[1]
    trace_id, span_id, sampled = current_ids()
    return (
        clock.time_ns(),
        _SEVERITIES.get(method, _INFO),
        str(event.pop("logger", name)),
        str(event.pop("event", "")),
        event,
        trace_id,
        span_id,
        sampled,
        error_details(raised) if isinstance(raised, BaseException) else None,
    )
