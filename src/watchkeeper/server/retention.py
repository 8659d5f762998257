"""How long and how much is kept of each signal, as the command line says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from watchkeeper.configuration import Duration
from watchkeeper.errors import ConfigError
from watchkeeper.ingest.size import Size
from watchkeeper.storage import StoreLimits

_FIELDS = {"metrics": "metric", "logs": "log", "spans": "span"}


def limits_of(retention: Iterable[str]) -> StoreLimits:
    """Return a store's limits from `SIGNAL=AGE[,SIZE]`, as in `logs=7d,20GB`.

    What is not named keeps its default. Raises ConfigError.
    """
    limits = StoreLimits()
    for text in retention:
        signal, _, kept = text.partition("=")
        age, _, size = kept.partition(",")
        if signal not in _FIELDS:
            raise _error(text, f"{signal!r} is no signal: write metrics, logs or spans")
        try:
            seconds, maximum_bytes = (
                int(Duration.parse(age)),
                int(Size.from_document(size)) if size else 0,
            )
        except ValueError as error:
            raise _error(text, str(error)) from error
        if seconds <= 0:
            raise _error(text, "the age must be more than nothing: write 7d")
        field = _FIELDS[signal]
        limits = replace(
            limits,
            **{f"{field}_retention_seconds": seconds, f"{field}_maximum_bytes": maximum_bytes},
        )
    return limits


def _error(text: str, reason: str) -> ConfigError:
    return ConfigError(
        f"{reason} (SIGNAL=AGE[,SIZE], as in logs=7d,20GB)", source=f"--retention {text}"
    )
