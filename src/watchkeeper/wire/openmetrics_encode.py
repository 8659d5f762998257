"""OpenMetrics 1.0, written.

Source: OpenMetrics 1.0 (prometheus.io/docs/specs/om/open_metrics_spec).
"""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.model import Exemplar
from watchkeeper.wire.family import MetricFamily, format_number
from watchkeeper.wire.text_encode import escape_value, format_labels


def encode_openmetrics(families: Iterable[MetricFamily]) -> bytes:
    """Return the families as OpenMetrics 1.0 text, in UTF-8, with the closing `# EOF`."""
    lines: list[str] = []
    for family in families:
        lines.append(f"# TYPE {family.name} {family.type.value}\n")
        if family.unit and family.name.endswith(f"_{family.unit}"):
            lines.append(f"# UNIT {family.name} {family.unit}\n")
        if family.help:
            lines.append(f"# HELP {family.name} {escape_value(family.help)}\n")
        name = family.name
        for suffix, labels, value, exemplar, created_seconds, timestamp_ms in family.samples:
            written = format_labels(labels)
            line = f"{name}{suffix}{written} {format_number(value)}"
            if timestamp_ms is not None:
                line += f" {format_number(timestamp_ms / 1000)}"
            if exemplar is not None and suffix in ("_total", "_bucket"):
                line += _exemplar(exemplar)
            lines.append(line + "\n")
            if created_seconds is not None:
                lines.append(f"{name}_created{written} {format_number(created_seconds)}\n")
    lines.append("# EOF\n")
    return "".join(lines).encode()


def _exemplar(exemplar: Exemplar) -> str:
    # Every exemplar has a trace of its own: nothing to remember.
    labels = format_labels.__wrapped__(exemplar.labels) or "{}"
    seconds = format_number(exemplar.timestamp_ms / 1000)
    return f" # {labels} {format_number(exemplar.value)} {seconds}"
