"""The pump: a thread that turns records into metrics, spans and log lines, in batches.

What a crash can lose is what the pump has not turned yet: one `pump_interval_seconds`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from watchkeeper.instrument.faults import Faults

BATCH_RECORDS = 512
LONGEST_WAIT_SECONDS = 1.0

Turn = Callable[[list[Any]], None]


class Pump:
    """A bounded queue and the thread that empties it into `turn`.

    `put` never blocks; a record that finds the queue full is dropped and told to `on_drop`.
    """

    def __init__(
        self,
        turn: Turn,
        on_drop: Callable[[Any], None],
        on_tick: Callable[[], None],
        faults: Faults,
        *,
        limit: int,
        interval_seconds: float,
    ) -> None:
        self._turn = turn
        self._on_drop = on_drop
        self._on_tick = on_tick
        self._faults = faults
        self._limit = limit
        self._interval_seconds = interval_seconds
        self.reset()

    def reset(self) -> None:
        """Forget what waits, and that there was a thread: for the child of a fork."""
        self.queue: deque[Any] = deque()
        self._turning = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._asleep = False

    def put(self, record: Any) -> None:
        """Queue a record."""
        queue = self.queue
        if len(queue) >= self._limit:
            self._on_drop(record)
            return
        queue.append(record)
        if self._asleep:
            self._awaken()

    def start(self) -> None:
        """Start the thread, if it does not run."""
        if self._thread is None or not self._thread.is_alive():
            self._stopped = False
            self._asleep = False
            self._wake.clear()
            self._thread = threading.Thread(target=self._run, name="watchkeeper-pump", daemon=True)
            self._thread.start()

    def start_when_needed(self) -> None:
        """Start the thread with the first record: a forked child may never have one."""
        self._asleep = True

    def stop(self) -> None:
        """End the thread, and turn what it left."""
        self._stopped = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)
            self._thread = None
        self.drain()

    def drain(self) -> None:
        """Turn everything that waits, in the caller's thread.

        Gives up after a second if another thread is at it and does not get on, such as one
        whose standard output nobody reads.
        """
        if not self._turning.acquire(timeout=LONGEST_WAIT_SECONDS):
            return
        try:
            queue = self.queue
            while queue:
                self._turn_batch([queue.popleft() for _ in range(min(len(queue), BATCH_RECORDS))])
        finally:
            self._turning.release()

    def _turn_batch(self, batch: list[Any]) -> None:
        try:
            self._turn(batch)
        except Exception as error:  # noqa: BLE001 - never break the host
            self._faults.note("pump", error)

    def _awaken(self) -> None:
        self._asleep = False
        try:
            self.start()
        except RuntimeError as error:
            self._faults.note("pump", error)

    def _run(self) -> None:
        while not self._stopped:
            self._wake.wait(self._interval_seconds)
            try:
                self.drain()
                self._on_tick()
            except Exception as error:  # noqa: BLE001 - never break the host
                self._faults.note("pump", error)
