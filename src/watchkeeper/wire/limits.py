"""What labels a pushed series, and what attributes a pushed record may have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from watchkeeper.model import METRIC_NAME, Attributes, Labels

_SHOWN = 40


class Limit(StrEnum):
    """Which limit it was."""

    RATE = "rate"
    BYTES = "bytes"
    BODY = "body_size"
    RECORDS = "records"
    SERIES = "series"
    LABELS = "labels"
    LABEL_NAME = "label_name_length"
    LABEL_VALUE = "label_value_length"
    ATTRIBUTES = "attributes"
    ATTRIBUTE_VALUE = "attribute_length"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that was broken: which, by which label or attribute (if by one), and a sentence."""

    limit: Limit
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class LabelLimits:
    """At most so many labels, the name among them, and so many bytes of a name or a value."""

    count: int = 100
    name_bytes: int = 512
    value_bytes: int = 4_096

    def broken_by(self, series: Labels) -> Excess | None:
        """Return which limit a series breaks and where; None if it is within them."""
        name = dict(series).get(METRIC_NAME, "")[:80]
        if len(series) > self.count:
            reason = f"series {name!r} has {len(series)} labels, {self.count} are allowed"
            return Excess(Limit.LABELS, "", reason)
        for label, value in series:
            if len(label.encode()) > self.name_bytes:
                what = f"series {name!r}, label {label[:_SHOWN]!r}...: its name"
                reason = f"{what} is longer than {self.name_bytes} bytes"
                return Excess(Limit.LABEL_NAME, label[:_SHOWN], reason)
            if len(value.encode()) > self.value_bytes:
                what = f"series {name!r}, label {label!r}: its value"
                reason = f"{what} is longer than {self.value_bytes} bytes"
                return Excess(Limit.LABEL_VALUE, label, reason)
        return None


@dataclass(frozen=True, slots=True)
class AttributeLimits:
    """At most so many attributes of a span or a log record, and characters of a text in one."""

    count: int = 256
    value_length: int = 65_536

    def broken_by(self, attributes: Attributes) -> Excess | None:
        """Return which limit a record's attributes break; None if they are within them."""
        if len(attributes) > self.count:
            reason = f"{len(attributes)} attributes, {self.count} are allowed"
            return Excess(Limit.ATTRIBUTES, "", reason)
        for name, value in attributes.items():
            if isinstance(value, str) and len(value) > self.value_length:
                what = f"attribute {name[:_SHOWN]!r}: its value"
                reason = f"{what} is longer than {self.value_length} characters"
                return Excess(Limit.ATTRIBUTE_VALUE, name[:_SHOWN], reason)
        return None
