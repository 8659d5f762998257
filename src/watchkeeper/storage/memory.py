"""The store in memory: the reference that says, as plainly as can be, what a store answers."""

from __future__ import annotations

from watchkeeper.storage.memory_logs import MemoryLogStore
from watchkeeper.storage.memory_metrics import MemoryMetricStore
from watchkeeper.storage.memory_spans import MemorySpanStore


class MemoryStore:
    """Metrics, logs and spans for as long as the object lives; nothing is ever dropped."""

    def __init__(self) -> None:
        self.metrics = MemoryMetricStore()
        self.logs = MemoryLogStore()
        self.spans = MemorySpanStore()
