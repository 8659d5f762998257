"""Events that a metric counts, chosen by PromQL matchers: what objectives and budgets are about."""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchkeeper.contract.label import OTHER, Label
from watchkeeper.contract.metric import Gauge, Histogram, Metric, Summary
from watchkeeper.errors import ContractError

MATCHER = re.compile(r'([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\Z')


@dataclass(frozen=True, slots=True)
class Events:
    """What a counter counts, or the observations of a histogram or summary, of those series
    that fulfil `matchers`, written as in PromQL: `Events(REQUESTS, ('status_code=~"5.."',))`.

    Raises ContractError for a gauge, a label that the metric has not, or a value that the label
    cannot take.
    """

    metric: Metric
    matchers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.metric, Gauge):
            raise ContractError(
                f"{self.metric.name} is a gauge: it counts no events; use a counter or a histogram"
            )
        require_matchers(self.metric, self.matchers)

    @property
    def selector(self) -> str:
        """The instant vector selector of the series that count them."""
        name = self.metric.name
        if isinstance(self.metric, Histogram | Summary):
            name = f"{name}_count"
        return select(name, self.matchers)


def select(name: str, matchers: tuple[str, ...]) -> str:
    """Return an instant vector selector."""
    return f"{name}{{{', '.join(matchers)}}}" if matchers else name


def require_matchers(metric: Metric, matchers: tuple[str, ...]) -> None:
    """Raise ContractError for a matcher that no series of `metric` is declared to fulfil."""
    labels = {label.name: label for label in metric.labels}
    for matcher in matchers:
        found = MATCHER.match(matcher)
        if found is None:
            raise ContractError(
                f'{metric.name}: {matcher!r} is no matcher; write it as status="failed"'
            )
        name, operator, value = found.groups()
        if name not in labels:
            known = ", ".join(labels) or "none"
            raise ContractError(f"{metric.name} has no label {name}; its labels are: {known}")
        if operator in ("=", "!="):
            _require_value(metric, labels[name], value)


def _require_value(metric: Metric, label: Label, value: str) -> None:
    if value == OTHER:
        return
    if label.values and value not in label.values:
        raise ContractError(
            f"{metric.name}: {label.name} never is {value!r}; it is one of:"
            f" {', '.join(label.values)}"
        )
    if label.pattern and not re.fullmatch(label.pattern, value):
        raise ContractError(f"{metric.name}: {label.name} never is {value!r}: {label.pattern}")
