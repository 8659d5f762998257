"""Every error that Watchkeeper raises on purpose, in one tree.

    WatchkeeperError
    ├── ContractError        a declaration contradicts itself or another
    ├── ConfigError          a file or a setting cannot be used
    ├── DecodeError          bytes are not what their protocol says
    ├── QueryError           a query cannot be answered
    │   ├── QuerySyntaxError     its text does not parse
    │   └── QueryLimitError      it asks for more than the limits allow
    ├── StorageError         the store cannot do what was asked
    │   ├── StoreFullError       no room on disk; nothing of the batch was kept
    │   └── StoreDamagedError    bytes on disk fail their checksum
    ├── TemplateError        a template cannot be rendered with the data it was given
    ├── OverloadError        a limit of ingestion was reached; try again later
    │   └── QuotaError           it is the sender's own limit
    └── DeliveryError        a receiver did not take a notification

A message says what is wrong, where, and what to do about it. It never holds a secret.
"""

from __future__ import annotations


class WatchkeeperError(Exception):
    """The root: catch this to catch whatever Watchkeeper raises on purpose."""


class ContractError(WatchkeeperError):
    """A declaration contradicts itself or another one."""


class ConfigError(WatchkeeperError):
    """A file or a setting cannot be used.

    `source` names the file or environment variable; `path` the place in it
    (`$.scrape_configs[0].job_name`), where there is one.
    """

    def __init__(self, reason: str, *, source: str = "", path: str = "") -> None:
        where = " at ".join(part for part in (source, path) if part)
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.source = source
        self.path = path


class DecodeError(WatchkeeperError):
    """Bytes are not what their protocol says; the message names the place."""


class QueryError(WatchkeeperError):
    """A query cannot be answered."""


class QuerySyntaxError(QueryError):
    """The text of a query does not parse. `start` and `end` are offsets into the text."""

    def __init__(self, reason: str, *, start: int = 0, end: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.start = start
        self.end = end


class QueryLimitError(QueryError):
    """A query asks for more than a limit allows; the message says which limit and how much."""


class StorageError(WatchkeeperError):
    """The store cannot do what was asked."""


class StoreFullError(StorageError):
    """There is no room on disk: nothing of the batch was kept, and the sender may try again."""


class StoreDamagedError(StorageError):
    """Bytes on disk fail their checksum; the message names the file that was set aside."""


class TemplateError(WatchkeeperError):
    """A template cannot be rendered with the data it was given; the message names the place."""


class OverloadError(WatchkeeperError):
    """A limit of ingestion was reached. `retry_after_seconds` says when to try again."""

    def __init__(self, reason: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class QuotaError(OverloadError):
    """A limit of the sender, or of all senders together, was reached: others may still send."""


class DeliveryError(WatchkeeperError):
    """A receiver did not take a notification. `retryable` says whether another try can help."""

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.retryable = retryable
