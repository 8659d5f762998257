"""The environment read with care: a wrong value is named, and one that is not used is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import unquote

from watchkeeper.errors import ConfigError
from watchkeeper.instrument.destination import Destination
from watchkeeper.instrument.span_limits import SpanLimits

Values = Mapping[str, str]

PROPAGATORS = ("tracecontext", "baggage")

_INSTEAD = {
    "OTEL_BLRP_": "logs share the queue of spans: set OTEL_BSP_ in its place",
    "OTEL_BSP_EXPORT_TIMEOUT": "set OTEL_EXPORTER_OTLP_TIMEOUT in its place",
    "OTEL_EXPORTER_OTLP_METRICS_": "metrics are scraped, at /metrics",
    "OTEL_METRIC_": "metrics are scraped, at /metrics",
    "OTEL_METRICS_": "metrics are scraped, at /metrics",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": "log lines keep all of their fields",
    "OTEL_CONFIG_FILE": "each variable is read by itself",
    "OTEL_EXPERIMENTAL_CONFIG_FILE": "each variable is read by itself",
}
"""What OpenTelemetry defines and has no meaning here, by how it begins, and what to do."""

_AS_IT_IS = {"OTEL_METRICS_EXPORTER": ("", "none", "prometheus")}
"""What a variable may say without effect, for that is how it is."""

_OF_OTHERS = (
    "OTEL_PYTHON_",
    "OTEL_INSTRUMENTATION_",
    "OTEL_SEMCONV_STABILITY_OPT_IN",
    "OTEL_EXPORTER_OTLP_INSECURE",
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    "OTEL_EXPORTER_OTLP_LOGS_INSECURE",
    "OTEL_LOG_LEVEL",
)
"""What OpenTelemetry's API and instrumentations read, or holds for gRPC alone."""


class Environment:
    """Variables by name, and which of them were asked for."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._read: set[str] = set()

    def text(self, name: str, default: str = "") -> str:
        """Return a variable; one that is set but empty is not set, as OpenTelemetry has it."""
        self._read.add(name)
        return self._values.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool) -> bool:
        """Return whether a variable is `true`, or, for a default of True, is not `false`."""
        text = self.text(name).lower()
        return text != "false" if default else text == "true"

    def number(self, name: str, default: float) -> float:
        """Return a number. Raises ConfigError."""
        text = self.text(name)
        if not text:
            return default
        try:
            return float(text)
        except ValueError:
            raise ConfigError(f"{text!r} is not a number", source=name) from None

    def choice(self, name: str, allowed: Collection[str]) -> str:
        """Return one of the `allowed` words, or ''. Raises ConfigError."""
        text = self.text(name)
        if text and text not in allowed:
            raise ConfigError(f"{text!r} is not known; choose {' or '.join(allowed)}", source=name)
        return text

    def pairs(self, name: str) -> dict[str, str]:
        """Return `key=value,key=value` as a mapping; values are percent-encoded (W3C Baggage)."""
        pairs: dict[str, str] = {}
        for member in self.text(name).split(","):
            if not member.strip():
                continue
            key, equals, value = member.partition("=")
            if not equals or not key.strip():
                raise ConfigError("write it as key=value,key=value", source=name)
            pairs[unquote(key.strip())] = unquote(value.strip())
        return pairs

    def paths(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return `path,path`; a variable that is set but empty means none."""
        text = self.text(name)
        if name not in self._values:
            return default
        paths = tuple(path.strip() for path in text.split(",") if path.strip())
        for path in paths:
            if not path.startswith("/"):
                raise ConfigError(f"{path!r} does not begin with /", source=name)
        return paths

    def destination(self, signal: str) -> Destination:
        """Return where `TRACES_` or `LOGS_` go, or '' for all signals."""
        prefix = f"OTEL_EXPORTER_OTLP_{signal}"
        protocol = self.text(f"{prefix}PROTOCOL")
        if protocol not in ("", "http/protobuf"):
            raise ConfigError(
                f"{protocol!r} is not spoken; set http/protobuf, and the endpoint of OTLP over"
                " HTTP (a collector's port 4318)",
                source=f"{prefix}PROTOCOL",
            )
        return Destination(
            endpoint=self.text(f"{prefix}ENDPOINT"),
            headers=self.pairs(f"{prefix}HEADERS"),
            timeout_seconds=self.number(f"{prefix}TIMEOUT", 0.0) / 1e3,
            compression=self.text(f"{prefix}COMPRESSION"),
            certificate=self.text(f"{prefix}CERTIFICATE"),
            client_certificate=self.text(f"{prefix}CLIENT_CERTIFICATE"),
            client_key=self.text(f"{prefix}CLIENT_KEY"),
        )

    def span_limits(self) -> SpanLimits:
        """Return what OTEL_SPAN_*_LIMIT say, or OTEL_ATTRIBUTE_*_LIMIT where they do not."""
        most = self._limit("OTEL_ATTRIBUTE_COUNT_LIMIT", 128)
        return SpanLimits(
            attributes=self._limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", most),
            events=self._limit("OTEL_SPAN_EVENT_COUNT_LIMIT", 128),
            links=self._limit("OTEL_SPAN_LINK_COUNT_LIMIT", 128),
            event_attributes=self._limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", most),
            link_attributes=self._limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", most),
            value_characters=self._value_characters("SPAN"),
        )

    def log_value_characters(self) -> int | None:
        """Return what OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT says, or the limit for all."""
        return self._value_characters("LOGRECORD")

    def _value_characters(self, of: str) -> int | None:
        longest = self._limit("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", -1)
        cut = self._limit(f"OTEL_{of}_ATTRIBUTE_VALUE_LENGTH_LIMIT", longest)
        return None if cut < 0 else cut

    def propagators(self) -> tuple[str, ...]:
        """Return which of the W3C headers travel (OTEL_PROPAGATORS)."""
        name = "OTEL_PROPAGATORS"
        text = self.text(name)
        chosen = tuple(word.strip() for word in text.split(",") if word.strip())
        if not chosen:
            return PROPAGATORS
        for word in chosen:
            if word not in (*PROPAGATORS, "none"):
                raise ConfigError(
                    f"{word!r} is not spoken; choose of tracecontext and baggage, or none",
                    source=name,
                )
        return () if "none" in chosen else chosen

    def unused(self) -> tuple[str, ...]:
        """Return a sentence for every OTEL_ variable that is set and has no effect here."""
        found = []
        for name in sorted(self._values):
            if not name.startswith("OTEL_") or name in self._read or name.startswith(_OF_OTHERS):
                continue
            if self._values[name].strip() in _AS_IT_IS.get(name, ("",)):
                continue
            why = next(
                (reason for begin, reason in _INSTEAD.items() if name.startswith(begin)),
                "nothing here reads it",
            )
            found.append(f"{name} has no effect: {why}")
        return tuple(found)

    def _limit(self, name: str, default: int) -> int:
        number = self.number(name, default)
        if number != int(number) or (number < 0 and number != default):
            raise ConfigError("must be a whole number, 0 or more", source=name)
        return int(number)
