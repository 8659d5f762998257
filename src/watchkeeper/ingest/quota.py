"""Limits at work: what tenants have pushed lately, held against what they may.

A rate is a debt that is paid off as time passes: while there is none, a request is taken whatever
it holds, and what exceeds a second's worth is owed. So no batch is too large to ever pass, and
over time nobody gets more than the rate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from threading import Lock

from watchkeeper.clock import Clock, SystemClock
from watchkeeper.errors import QuotaError
from watchkeeper.ingest.limits import IngestLimits, SharedLimits, TenantLimits
from watchkeeper.ingest.statistics import Signal
from watchkeeper.model import Labels
from watchkeeper.wire.limits import Excess, Limit

DEFAULT_TENANT = "default"
"""Who pushes without a token, or with one that names nobody."""
ALL = "all"

SERIES_REMEMBERED_SECONDS = 3_600
"""A series counts for this long after its last sample, and for at most twice as long."""
MOST_COUNTED = 1_000
OTHER = "other"

Exceeded = dict[tuple[str, str, str], int]
"""How much was refused, by tenant, limit and label."""


class _Rate:
    """So much a second; 0 is no limit."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._owed = -per_second
        self._seen_ns = 0

    def wait_seconds(self, now_ns: int) -> float:
        """Return how long nothing more is taken."""
        if not self._per_second:
            return 0.0
        earned = (now_ns - self._seen_ns) / 1e9 * self._per_second
        self._owed = max(self._owed - earned, -self._per_second)
        self._seen_ns = now_ns
        return max(self._owed / self._per_second, 0.0)

    def add(self, amount: int) -> None:
        self._owed += amount


class _RecentSeries:
    """The series of the last hour or two, counted up to a limit; 0 is none."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._current: set[Labels] = set()
        self._previous: set[Labels] = set()
        self._turned_ns = 0

    def surplus(self, batch: set[Labels], now_ns: int) -> set[Labels]:
        """Return the series of a batch that are too many. Nothing is remembered yet."""
        if not self._limit:
            return set()
        if now_ns - self._turned_ns > SERIES_REMEMBERED_SECONDS * 1e9:
            self._previous, self._current = self._current, set()
            self._turned_ns = now_ns
        fresh = batch - self._current - self._previous
        room = self._limit - len(self._current | self._previous)
        return set(sorted(fresh)[max(room, 0) :]) if len(fresh) > room else set()

    def add(self, batch: set[Labels]) -> None:
        if self._limit:
            self._current |= batch


class _Account:
    """What one tenant, or all together, have used."""

    def __init__(self, name: str, limits: SharedLimits) -> None:
        self.name = name
        self.rates = {
            Signal.SAMPLES: _Rate(limits.samples_per_second),
            Signal.LOGS: _Rate(limits.logs_per_second),
            Signal.SPANS: _Rate(limits.spans_per_second),
        }
        self.bytes = _Rate(limits.bytes_per_second)
        self.series = _RecentSeries(limits.series)


class Quota:
    """What one tenant may still send. Methods may be called from several threads."""

    def __init__(self, name: str, limits: TenantLimits, quotas: Quotas) -> None:
        self.limits = limits
        self.of_labels = limits.of_labels
        self.of_attributes = limits.of_attributes
        self._account = _Account(name, limits)
        self._quotas = quotas
        self._waiting = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place in the tenant's queue. Raises QuotaError when there is none."""
        most = self.limits.queue
        with self._quotas.lock:
            if most and self._waiting >= most:
                self._quotas.count(self._account.name, Limit.QUEUE)
                raise QuotaError(f"{most} requests of this tenant are under way already")
            self._waiting += 1
        try:
            yield
        finally:
            with self._quotas.lock:
                self._waiting -= 1

    def admit(self, signal: Signal, body_bytes: int) -> None:
        """Take the bytes of a request in. Raises QuotaError while the rate is used up."""
        now_ns = self._quotas.now_ns()
        with self._quotas.lock:
            for account in (self._account, self._quotas.shared):
                rates = ((Limit.RATE, account.rates[signal]), (Limit.BYTES, account.bytes))
                for limit, rate in rates:
                    wait = rate.wait_seconds(now_ns)
                    if wait:
                        self._quotas.count(account.name, limit, str(signal))
                        raise _too_fast(account.name, limit, signal, wait)
            for account in (self._account, self._quotas.shared):
                account.bytes.add(body_bytes)

    def take(self, signal: Signal, count: int) -> None:
        """Take records in. Raises QuotaError when there are too many in one request."""
        most = self.limits.records
        with self._quotas.lock:
            if most and count > most:
                self._quotas.count(self._account.name, Limit.RECORDS, str(signal), count)
                raise QuotaError(
                    f"{count} {signal} in one request, {most} are allowed: send smaller batches",
                    retry_after_seconds=0.0,
                )
            for account in (self._account, self._quotas.shared):
                account.rates[signal].add(count)

    def take_series(self, labels: list[Labels]) -> tuple[set[Labels], str]:
        """Remember the series of a batch; return those that are too many, and a sentence."""
        if not (self.limits.series or self._quotas.limits.all.series):
            return set(), ""
        batch = set(labels)
        now_ns = self._quotas.now_ns()
        reason = ""
        with self._quotas.lock:
            for account in (self._account, self._quotas.shared):
                surplus = account.series.surplus(batch, now_ns)
                if surplus:
                    batch -= surplus
                    label = most_varied(surplus)
                    self._quotas.count(account.name, Limit.SERIES, label, len(surplus))
                    whose = "all tenants" if account is self._quotas.shared else "this tenant"
                    reason = (
                        f"{whose} may have no more series: {len(surplus)} new ones are left out"
                    )
            for account in (self._account, self._quotas.shared):
                account.series.add(batch)
        return (set(labels) - batch if reason else set()), reason

    def exceeded(self, limit: Limit, label: str = "", count: int = 1) -> None:
        """Count what another part refused by one of this tenant's limits."""
        with self._quotas.lock:
            self._quotas.count(self._account.name, limit, label, count)

    def exceeded_by(self, found: Iterable[Excess]) -> None:
        """Count series or records that were left out."""
        for excess in found:
            self.exceeded(excess.limit, excess.label)


class Quotas:
    """The quotas of all tenants, and what they were refused."""

    def __init__(self, limits: IngestLimits | None = None, *, clock: Clock | None = None) -> None:
        self.limits = limits or IngestLimits()
        self.shared = _Account(ALL, self.limits.all)
        self.lock = Lock()
        self.now_ns = (clock or SystemClock()).monotonic_ns
        self._of: dict[str, Quota] = {}
        self._exceeded: Counter[tuple[str, str, str]] = Counter()

    def of(self, tenant: str = DEFAULT_TENANT) -> Quota:
        """Return a tenant's quota. Names come from the file of tokens: they are few."""
        with self.lock:
            quota = self._of.get(tenant)
            if quota is None:
                limits = self.limits.tenants.get(tenant, self.limits.default)
                quota = self._of[tenant] = Quota(tenant, limits, self)
            return quota

    def change(self, limits: IngestLimits) -> None:
        """Go on by other limits; what was used is forgotten, what was refused is not."""
        with self.lock:
            self.limits = limits
            self.shared = _Account(ALL, limits.all)
            self._of.clear()

    def exceeded(self) -> Exceeded:
        """Return how much was refused since the start."""
        with self.lock:
            return dict(self._exceeded)

    def count(self, tenant: str, limit: Limit, label: str = "", count: int = 1) -> None:
        """Count a refusal; whoever calls holds the lock. Labels beyond the first are `other`."""
        key = (tenant, str(limit), label)
        if key not in self._exceeded and len(self._exceeded) >= MOST_COUNTED:
            key = (tenant, str(limit), OTHER)
        self._exceeded[key] += count


def most_varied(series: Iterable[Labels]) -> str:
    """Return the label that takes the most values, '' if none takes two: it makes the series."""
    values: dict[str, set[str]] = {}
    for name, value in chain.from_iterable(series):
        values.setdefault(name, set()).add(value)
    most = max(map(len, values.values()), default=0)
    return min(name for name in values if len(values[name]) == most) if most > 1 else ""


def _too_fast(account: str, limit: Limit, signal: Signal, wait_seconds: float) -> QuotaError:
    whose = "all tenants together" if account == ALL else "this tenant"
    what = "bytes" if limit is Limit.BYTES else str(signal)
    return QuotaError(
        f"{whose} sent more {what} a second than allowed", retry_after_seconds=wait_seconds
    )
