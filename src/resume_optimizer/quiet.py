"""What libraries write down at INFO that nobody needs, or that nobody should read."""

from __future__ import annotations

import logging

CHATTY = ("httpx2",)
"""httpx2 writes a line for every request, with its whole URL: a posting's query may hold a
secret."""


def quiet_libraries() -> None:
    """Let them write warnings and worse alone. Every process calls this when it starts."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
