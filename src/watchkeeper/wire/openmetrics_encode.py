"""OpenMetrics 1.0, written.

Source: OpenMetrics 1.0 (prometheus.io/docs/specs/om/open_metrics_spec).
"""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.model import Exemplar
from watchkeeper.wire.family import FamilySample, MetricFamily, format_number
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
        for sample in family.samples:
            lines.append(_sample_line(family.name, sample))
            if sample.created_seconds is not None:
                labels = format_labels(sample.labels)
                created = format_number(sample.created_seconds)
                lines.append(f"{family.name}_created{labels} {created}\n")
    lines.append("# EOF\n")
    return "".join(lines).encode()


def _sample_line(name: str, sample: FamilySample) -> str:
    line = f"{name}{sample.suffix}{format_labels(sample.labels)} {format_number(sample.value)}"
    if sample.timestamp_ms is not None:
        line += f" {format_number(sample.timestamp_ms / 1000)}"
    if sample.exemplar is not None and sample.suffix in ("_total", "_bucket"):
        line += _exemplar(sample.exemplar)
    return line + "\n"


def _exemplar(exemplar: Exemplar) -> str:
    labels = format_labels(exemplar.labels) or "{}"
    seconds = format_number(exemplar.timestamp_ms / 1000)
    return f" # {labels} {format_number(exemplar.value)} {seconds}"
