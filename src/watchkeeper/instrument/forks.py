"""Forks: telemetry that runs is held still before one, and starts anew in the child.

Python keeps a fork hook for ever, so there is one for the module, over those that run now.
"""

from __future__ import annotations

import os
import sys
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """What takes part in a fork."""

    def before_fork(self) -> None:
        """Hold still."""
        ...

    def after_fork_in_parent(self) -> None:
        """Go on."""
        ...

    def after_fork_in_child(self) -> None:
        """Start anew."""
        ...

    def stop(self) -> None:
        """Send what waits: the process ends."""
        ...


_watched: WeakSet[Forkable] = WeakSet()
_held: list[Forkable] = []
_known_to_multiprocessing: WeakSet[Forkable] = WeakSet()


def watch(forkable: Forkable) -> None:
    """Take part in every fork from now on."""
    _watched.add(forkable)


def forget(forkable: Forkable) -> None:
    """Take part no more."""
    _watched.discard(forkable)


def _before() -> None:
    _held.extend(_watched)
    for forkable in _held:
        forkable.before_fork()
        _tell_multiprocessing(forkable)


def _tell_multiprocessing(forkable: Forkable) -> None:
    """Stop the telemetry of children of multiprocessing in time: they end past `atexit`."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None and forkable not in _known_to_multiprocessing:
        _known_to_multiprocessing.add(forkable)
        util.register_after_fork(
            forkable, lambda child: util.Finalize(None, child.stop, exitpriority=0)
        )


def _in_parent() -> None:
    while _held:
        _held.pop().after_fork_in_parent()


def _in_child() -> None:
    while _held:
        _held.pop().after_fork_in_child()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
