"""How much one span may hold (OTEL_SPAN_*_LIMIT, OTEL_ATTRIBUTE_*_LIMIT)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLimits:
    """The most that a span takes; what comes after that is left out.

    Texts longer than `value_characters` are cut, after redaction. Defaults: OpenTelemetry's.
    """

    attributes: int = 128
    events: int = 128
    links: int = 128
    event_attributes: int = 128
    link_attributes: int = 128
    value_characters: int | None = None


DEFAULT_LIMITS = SpanLimits()
