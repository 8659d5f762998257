"""Queries that many conventions draw: quantiles of a histogram, and shares of a whole."""

from watchkeeper.contract import Histogram, Query, Threshold
from watchkeeper.errors import ContractError

GOOD_BELOW_ONE_PERCENT = (
    Threshold(0, "green"),
    Threshold(0.01, "orange"),
    Threshold(0.05, "red"),
)


def quantile(share: float, histogram: str, by: str = "", window: str = "5m") -> str:
    """Return PromQL: the value that `share` (0 to 1) of the observations do not exceed."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({histogram}_bucket[{window}])))"


def slower(histogram: Histogram, seconds: float) -> str:
    """Return PromQL: one observation in twenty takes longer than `seconds`.

    Raises ContractError when no bucket can tell: a quantile never passes the last bound.
    """
    if not histogram.buckets[0] <= seconds < histogram.buckets[-1]:
        raise ContractError(
            f"{histogram.name}: nothing tells what takes longer than {seconds:g} s; its buckets"
            f" end at {histogram.buckets[-1]:g} s and begin at {histogram.buckets[0]:g} s"
        )
    return f"{quantile(0.95, histogram.name)} > {seconds:g}"


def quantiles(histogram: str, by: str = "") -> tuple[Query, ...]:
    """Return the median, 95th and 99th percentile of a histogram, split `by` a label."""
    legend = f"{{{{{by}}}}} " if by else ""
    names = ((0.5, "median"), (0.95, "95th percentile"), (0.99, "99th percentile"))
    return tuple(Query(quantile(share, histogram, by), f"{legend}{name}") for share, name in names)


def share(part: str, whole: str, window: str = "5m") -> str:
    """Return PromQL: the events that `part` selects as a share of those of `whole`."""
    return f"sum(rate({part}[{window}])) / sum(rate({whole}[{window}]))"
