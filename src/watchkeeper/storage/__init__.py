"""The embedded store; the only place that imports duckdb."""

from watchkeeper.storage.limits import DamageReport, StoreLimits, StoreStats
from watchkeeper.storage.memory import MemoryStore
from watchkeeper.storage.store import Store
from watchkeeper.storage.verification import Verification, verify

__all__ = [
    "DamageReport",
    "MemoryStore",
    "Store",
    "StoreLimits",
    "StoreStats",
    "Verification",
    "verify",
]
