"""Tail keeping: what head sampling would drop is kept all the same if it failed or was slow.

Spans of a trace that the head did not choose wait here until the trace's local root ends: the
span that began it in this process. Then all of them are recorded, or none. Limits:

- A caller hears `sampled=0` until then, and so do the systems called: each keeps its own part by
  its own judgement. From the moment that a trace is kept, it travels on as `sampled=1`.
- So many spans wait for one trace, and so many in all (below); of a trace that is kept, those
  beyond are dropped and counted.
- A span that ends after its local root follows the decision that was made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchkeeper.model import StatusCode

if TYPE_CHECKING:
    from watchkeeper.instrument.span import LiveSpan

MOST_SPANS_OF_A_TRACE = 512
MOST_SPANS = 10_000


@dataclass(frozen=True, slots=True)
class TailRules:
    """What is kept. A `slow_ns` of 0 keeps nothing for being slow."""

    errors: bool = True
    slow_ns: int = 1_000_000_000

    def keep(self, failed: bool, duration_ns: int) -> bool:
        """Return whether a trace is kept whose local root ended so."""
        return (failed and self.errors) or (0 < self.slow_ns <= duration_ns)


class Tail:
    """Makes the undecided traces of a process, and knows how many spans wait in all.

    `on_keep` takes each span that is kept, `on_drop` how many of a kept trace were too many.
    """

    def __init__(
        self,
        rules: TailRules,
        on_keep: Callable[[LiveSpan], None],
        on_drop: Callable[[int], None],
    ) -> None:
        self.rules = rules
        self.on_keep = on_keep
        self.on_drop = on_drop
        self._waiting = 0
        # Reentrant: a trace that is forgotten gives its room back whenever Python collects it.
        self._lock = threading.RLock()

    def take(self) -> bool:
        """Return whether there is room for one more span, and take it."""
        with self._lock:
            if self._waiting >= MOST_SPANS:
                return False
            self._waiting += 1
            return True

    def reset(self) -> None:
        """Forget what waits: for the child of a fork."""
        self._lock = threading.RLock()
        self._waiting = 0

    def give_back(self, spans: int) -> None:
        """Let go of room."""
        with self._lock:
            self._waiting = max(0, self._waiting - spans)

    @property
    def waiting(self) -> int:
        """How many spans wait for a decision."""
        return self._waiting


class Undecided:
    """The spans of one trace in this process, until its local root ends."""

    __slots__ = ("__weakref__", "_overflow", "_spans", "_tail", "kept", "root_span_id")

    def __init__(self, tail: Tail, root_span_id: int) -> None:
        self._tail = tail
        self._spans: list[LiveSpan] = []
        self._overflow = 0
        self.kept: bool | None = None
        self.root_span_id = root_span_id

    def ended(self, span: LiveSpan) -> None:
        """Take a span that ended; the local root's end decides for all."""
        if span.span_id == self.root_span_id:
            failed = span.status is StatusCode.ERROR
            self.decide(span, failed=failed, duration_ns=span.end_ns - span.start_ns)
        if self.kept is None:
            if len(self._spans) < MOST_SPANS_OF_A_TRACE and self._tail.take():
                self._spans.append(span)
            else:
                self._overflow += 1
        elif self.kept:
            self._keep(span)

    def decide(self, root: LiveSpan, *, failed: bool, duration_ns: int) -> None:
        """Keep or drop what waits, by how the local root ended."""
        if self.kept is not None:
            return
        self.kept = self._tail.rules.keep(failed, duration_ns)
        waiting, self._spans = self._spans, []
        if waiting:
            self._tail.give_back(len(waiting))
        if self.kept:
            root.become_sampled()
            for span in waiting:
                self._keep(span)
            if self._overflow:
                self._tail.on_drop(self._overflow)

    def _keep(self, span: LiveSpan) -> None:
        span.become_sampled()
        self._tail.on_keep(span)

    def __del__(self) -> None:
        if self._spans:
            self._tail.give_back(len(self._spans))
