"""What each tenant may push, and all of them together, as a file says it.

    all: {samples_per_second: 400000, series: 2000000}
    default: {samples_per_second: 50000, labels: 40}
    tenants:
      shop: {samples_per_second: 100000}

A tenant is named by its token. What it does not say is as in `default`; 0 is no limit.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from watchkeeper.configuration import convert, read_yaml
from watchkeeper.ingest.size import Size
from watchkeeper.wire.limits import AttributeLimits, LabelLimits

_NONE = 1 << 62


class SharedLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a stretch of time may bring. `bytes_per_second` counts bodies as they came over the
    wire; `series` counts those that were pushed within the last hour or two."""

    samples_per_second: float = 0
    logs_per_second: float = 0
    spans_per_second: float = 0
    bytes_per_second: Size = Size(0)
    series: int = 0


class TenantLimits(SharedLimits, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a tenant may send, in one request too. `body_size` is that of an opened body."""

    body_size: Size = Size(64 << 20)
    records: int = 200_000
    labels: int = 100
    label_name_length: int = 512
    label_value_length: int = 4_096
    attributes: int = 256
    attribute_length: int = 65_536
    queue: int = 64

    @property
    def of_labels(self) -> LabelLimits:
        """What a series may have."""
        return LabelLimits(
            self.labels or _NONE,
            self.label_name_length or _NONE,
            self.label_value_length or _NONE,
        )

    @property
    def of_attributes(self) -> AttributeLimits:
        """What a span or a log record may have."""
        return AttributeLimits(self.attributes or _NONE, self.attribute_length or _NONE)


class IngestLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of all together, of tenants that are named, and of the others."""

    all: SharedLimits = SharedLimits()
    default: TenantLimits = TenantLimits()
    tenants: dict[str, TenantLimits] = {}


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    all: SharedLimits = SharedLimits()
    default: TenantLimits = TenantLimits()
    tenants: dict[str, TenantLimits | None] = {}


def load_limits(path: Path) -> IngestLimits:
    """Return what a file of limits says. Raises ConfigError that names the file and the place."""
    written = read_yaml(path) or {}
    document = convert(written, _Document, source=str(path))
    tenants: dict[str, TenantLimits] = {}
    for name, limits in document.tenants.items():
        said = written["tenants"][name] if isinstance(written, dict) and limits else {}
        changes = {key: getattr(limits, key) for key in said}
        tenants[name] = msgspec.structs.replace(document.default, **changes)
    return IngestLimits(all=document.all, default=document.default, tenants=tenants)
