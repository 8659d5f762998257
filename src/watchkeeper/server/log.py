"""The backend's own log: one JSON object a line on standard error."""

from __future__ import annotations

import logging
import sys

import orjson

from watchkeeper.server.arguments import rfc3339

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Formats a record, its `extra` fields and its exception as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": rfc3339(int(record.created * 1e9)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def write_json_lines(level: int = logging.INFO) -> None:
    """Send this process' log records to standard error, as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
