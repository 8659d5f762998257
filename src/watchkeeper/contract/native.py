"""Native histograms: buckets that nobody has to choose, each wider than the last by one factor."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.errors import ContractError

FINEST_SCHEMA = 8
COARSEST_SCHEMA = 0
MOST_BUCKETS = 2_000


@dataclass(frozen=True, slots=True)
class NativeBuckets:
    """Buckets from 2**`lowest_exponent` to 2**`highest_exponent`, 2**`schema` to each doubling.

    The default reaches from a microsecond to four and a half hours, with an error of at most 4.4
    per cent. What is smaller, negative too, counts as zero; what is larger counts into the last.
    Source: Prometheus' native histograms (prometheus.io/docs/specs/native_histograms).
    """

    schema: int = 3
    lowest_exponent: int = -20
    highest_exponent: int = 14

    def __post_init__(self) -> None:
        if not COARSEST_SCHEMA <= self.schema <= FINEST_SCHEMA:
            raise ContractError(
                f"native buckets: schema {self.schema} must lie between {COARSEST_SCHEMA} and "
                f"{FINEST_SCHEMA}"
            )
        if not -1000 <= self.lowest_exponent < self.highest_exponent <= 1000:
            raise ContractError("native buckets: the exponents must ascend, within -1000 to 1000")
        if self.count > MOST_BUCKETS:
            raise ContractError(
                f"native buckets: {self.count} buckets are too many, at most {MOST_BUCKETS}: "
                "choose a lower schema or a shorter range"
            )

    @property
    def first(self) -> int:
        """The index of the first bucket: it ends a factor above the zero bucket."""
        return (self.lowest_exponent << self.schema) + 1

    @property
    def count(self) -> int:
        """How many buckets there are, besides the one for zero."""
        return (self.highest_exponent - self.lowest_exponent) << self.schema

    @property
    def zero_threshold(self) -> float:
        """Up to here an observation counts as zero."""
        return float(2.0**self.lowest_exponent)
