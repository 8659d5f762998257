"""What was freed goes back to the system.

glibc keeps freed memory for as long as something above it is in use, and gives each thread an
arena of its own. Flushes and merges take and free tens of megabytes in other threads than those
that append, so that without this twice as much stays with the process as it uses.
"""

from __future__ import annotations

import ctypes


def share_arenas() -> None:
    """Have all threads of the process share a few arenas, where there are any (glibc)."""
    option = getattr(_C_LIBRARY, "mallopt", None)
    if option is not None:
        option(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return freed memory to the system, where the C library can (glibc: malloc_trim(3))."""
    trim = getattr(_C_LIBRARY, "malloc_trim", None)
    if trim is not None:
        trim(0)


_C_LIBRARY = ctypes.CDLL(None)
_M_ARENA_MAX = -8
_ARENAS = 2
