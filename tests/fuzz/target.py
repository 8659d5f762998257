"""What a fuzz target is: code that reads bytes of strangers, and what must hold of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from watchkeeper.errors import WatchkeeperError


@dataclass(frozen=True)
class Target:
    """`read` takes any bytes: it may refuse them with a WatchkeeperError, and nothing else.

    `examples` are where the fuzzer begins and `words` what it likes to put in; a test reads the
    examples in every run. Inputs that once failed belong among the examples.
    """

    name: str
    read: Callable[[bytes], object]
    examples: tuple[bytes, ...]
    words: tuple[str, ...] = ()
    longest_bytes: int = 4096

    def hold(self, data: bytes) -> None:
        """Read `data`; raises only what `read` must not."""
        with suppress(WatchkeeperError):
            self.read(data)
