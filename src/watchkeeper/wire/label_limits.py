"""What labels a pushed series may have."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.model import METRIC_NAME, Labels


@dataclass(frozen=True, slots=True)
class LabelLimits:
    """At most so many labels, the name among them, and so many bytes of a name or a value."""

    count: int = 100
    name_bytes: int = 512
    value_bytes: int = 4_096

    def broken_by(self, series: Labels) -> str:
        """Return which limit a series breaks and where; empty if it is within them."""
        name = dict(series).get(METRIC_NAME, "")[:80]
        if len(series) > self.count:
            return f"series {name!r} has {len(series)} labels, {self.count} are allowed"
        for label, value in series:
            if len(label.encode()) > self.name_bytes:
                what = f"series {name!r}, label {label[:40]!r}...: its name"
                return f"{what} is longer than {self.name_bytes} bytes"
            if len(value.encode()) > self.value_bytes:
                what = f"series {name!r}, label {label!r}: its value"
                return f"{what} is longer than {self.value_bytes} bytes"
        return ""
