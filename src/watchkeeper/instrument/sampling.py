"""Head sampling: whether a trace is recorded, decided once at its root.

Source: OpenTelemetry's environment variable specification (OTEL_TRACES_SAMPLER) and its
TraceIdRatioBased sampler: a trace is kept if the lower 64 bits of its id lie under the ratio's
share of 2**64, so that every service decides alike.
"""

from __future__ import annotations

_LOWER_64_BITS = 2**64 - 1


class Sampler:
    """Decides for root spans and, unless parent based, for all others too."""

    __slots__ = ("_bound", "_parent_based", "everything")

    def __init__(self, name: str, ratio: float = 1.0) -> None:
        self._parent_based = name.startswith("parentbased_")
        kept = {"always_on": 1.0, "always_off": 0.0}.get(name.removeprefix("parentbased_"), ratio)
        self._bound = round(kept * 2**64)
        self.everything = self._bound == 2**64
        """Whether every root is recorded."""

    def root(self, trace_id: int) -> bool:
        """Return whether a trace that begins here is recorded."""
        return (trace_id & _LOWER_64_BITS) < self._bound

    def child(self, trace_id: int, parent_sampled: bool) -> bool:
        """Return whether a span below a parent is recorded."""
        return parent_sampled if self._parent_based else self.root(trace_id)
