"""Prometheus text 0.0.4, written.

Source: prometheus.io, "Exposition formats".
"""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.model import Labels, MetricType
from watchkeeper.wire.family import MetricFamily, format_number


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
        for sample in family.samples:
            series = f"{family.name}{sample.suffix}{format_labels(sample.labels)}"
            time = "" if sample.timestamp_ms is None else f" {sample.timestamp_ms}"
            lines.append(f"{series} {format_number(sample.value)}{time}\n")
    return "".join(lines).encode()


def escape_help(text: str) -> str:
    """Return help text with backslash and line feed escaped."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def escape_value(text: str) -> str:
    """Return a label value with backslash, line feed and quote escaped."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def format_labels(labels: Labels) -> str:
    """Return `{a="1",b="2"}`, or nothing for no labels."""
    if not labels:
        return ""
    return "{" + ",".join([f'{name}="{escape_value(value)}"' for name, value in labels]) + "}"
