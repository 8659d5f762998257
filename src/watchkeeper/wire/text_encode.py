"""Prometheus text 0.0.4, written.

Source: prometheus.io, "Exposition formats".
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from watchkeeper.model import Labels, MetricType
from watchkeeper.wire.family import MetricFamily, format_number

REMEMBERED_LABELS = 32_768
"""Label sets whose text is remembered: every scrape shows the same ones, with other values."""


def encode_text(families: Iterable[MetricFamily]) -> bytes:
    """Return the families as Prometheus text 0.0.4, in UTF-8."""
    lines: list[str] = []
    for family in families:
        counter = family.type is MetricType.COUNTER
        name = f"{family.name}_total" if counter else family.name
        if family.help:
            lines.append(f"# HELP {name} {escape_help(family.help)}\n")
        kind = "untyped" if family.type is MetricType.UNKNOWN else family.type.value
        lines.append(f"# TYPE {name} {kind}\n")
        plain = family.name
        for suffix, labels, value, _, _, timestamp_ms in family.samples:
            time = "" if timestamp_ms is None else f" {timestamp_ms}"
            lines.append(f"{plain}{suffix}{format_labels(labels)} {format_number(value)}{time}\n")
    return "".join(lines).encode()


def escape_help(text: str) -> str:
    """Return help text with backslash and line feed escaped."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def escape_value(text: str) -> str:
    """Return a label value with backslash, line feed and quote escaped."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


@lru_cache(maxsize=REMEMBERED_LABELS)
def format_labels(labels: Labels) -> str:
    """Return `{a="1",b="2"}`, or nothing for no labels."""
    if not labels:
        return ""
    return "{" + ",".join([f'{name}="{escape_value(value)}"' for name, value in labels]) + "}"
