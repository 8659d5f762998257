"""Regular expressions are RE2, as Prometheus, Alertmanager and Go's templates have them."""

from __future__ import annotations

from functools import lru_cache

import re2


@lru_cache(maxsize=2048)
def compile_regex(pattern: str, *, dot_is_any: bool = True) -> re2._Regexp:
    """Return the compiled pattern; with `dot_is_any`, `.` matches a newline too.

    Raises ValueError, which says what is wrong where.
    """
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = dot_is_any
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        raise ValueError(f"error parsing regexp {pattern!r}: {reason}") from None
