"""What the environment says about telemetry: OpenTelemetry's variables, and a few of our own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from watchkeeper.errors import ConfigError

SAMPLERS = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
HEALTH_PATHS = (
    "/health",
    "/health/live",
    "/health/ready",
    "/healthz",
    "/livez",
    "/readyz",
)
"""What orchestrators and load balancers ask for every few seconds."""

LOG_STDOUT = "stdout"
LOG_OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a process observes itself. Nothing is sent anywhere unless `otlp_endpoint` is set.

    `service` is '' for the contract's own name. `otlp_endpoint` is the base URL to which
    `/v1/traces` and `/v1/logs` are added. `log` is `stdout`, `off`, or the path of a file,
    which is rotated. `process_directory` holds one file of metric values for every process of
    the service; '' means that this process answers for itself alone. For tests: without
    `background` nothing runs by itself and Telemetry.flush does the work, and `loud` raises what
    is otherwise only counted.

    What the sampler drops is kept all the same if it failed (`keep_errors`) or took
    `keep_slow_seconds`, 0 for never; the samplers `always_off` mean what they say.

    Requests for `quiet_paths` are counted, and leave neither spans nor access lines.
    """

    service: str = ""
    environment: str = "development"
    resource_attributes: Mapping[str, str] = field(default_factory=dict)
    otlp_endpoint: str = ""
    otlp_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sampler: str = "parentbased_always_on"
    sampler_ratio: float = 1.0
    disabled: bool = False
    process_directory: str = ""
    log: str = LOG_STDOUT
    log_max_bytes: int = 64 * 1024 * 1024
    log_files: int = 5
    queue_limit: int = 20_000
    export_buffer_bytes: int = 16 * 1024 * 1024
    export_interval_seconds: float = 1.0
    export_timeout_seconds: float = 10.0
    pump_interval_seconds: float = 0.1
    shutdown_timeout_seconds: float = 5.0
    keep_errors: bool = True
    keep_slow_seconds: float = 1.0
    quiet_paths: tuple[str, ...] = HEALTH_PATHS
    background: bool = True
    loud: bool = False

    def __post_init__(self) -> None:
        if self.sampler not in SAMPLERS:
            raise ConfigError(
                f"{self.sampler!r} is not a sampler; choose one of {', '.join(SAMPLERS)}",
                source="OTEL_TRACES_SAMPLER",
            )
        if not self.keep_slow_seconds >= 0.0:
            raise ConfigError("must be 0 or more", source="WATCHKEEPER_KEEP_SLOW_SECONDS")
        if not 0.0 <= self.sampler_ratio <= 1.0:
            raise ConfigError("must lie between 0 and 1", source="OTEL_TRACES_SAMPLER_ARG")
        if self.otlp_endpoint:
            parts = urlsplit(self.otlp_endpoint)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ConfigError(
                    "must be a URL such as http://127.0.0.1:9400",
                    source="OTEL_EXPORTER_OTLP_ENDPOINT",
                )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of `environment` (default: os.environ).

        Reads OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_ENDPOINT,
        OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TIMEOUT (milliseconds),
        OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, OTEL_SDK_DISABLED,
        WATCHKEEPER_PROCESS_DIRECTORY, WATCHKEEPER_LOG, WATCHKEEPER_QUIET_PATHS,
        WATCHKEEPER_KEEP_ERRORS, WATCHKEEPER_KEEP_SLOW_SECONDS and ENVIRONMENT.
        Raises ConfigError, which names the variable.
        """
        values = os.environ if environment is None else environment
        resource = _pairs(values, "OTEL_RESOURCE_ATTRIBUTES")
        return cls(
            service=values.get("OTEL_SERVICE_NAME") or resource.get("service.name", ""),
            environment=values.get("ENVIRONMENT")
            or resource.get("deployment.environment.name", "development"),
            resource_attributes=resource,
            otlp_endpoint=values.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
            otlp_headers=_pairs(values, "OTEL_EXPORTER_OTLP_HEADERS"),
            sampler=values.get("OTEL_TRACES_SAMPLER") or "parentbased_always_on",
            sampler_ratio=_number(values, "OTEL_TRACES_SAMPLER_ARG", 1.0),
            disabled=values.get("OTEL_SDK_DISABLED", "").strip().lower() == "true",
            process_directory=values.get("WATCHKEEPER_PROCESS_DIRECTORY", ""),
            log=values.get("WATCHKEEPER_LOG") or LOG_STDOUT,
            keep_errors=values.get("WATCHKEEPER_KEEP_ERRORS", "").strip().lower() != "false",
            keep_slow_seconds=_number(values, "WATCHKEEPER_KEEP_SLOW_SECONDS", 1.0),
            quiet_paths=_paths(values, "WATCHKEEPER_QUIET_PATHS", HEALTH_PATHS),
            export_timeout_seconds=_number(values, "OTEL_EXPORTER_OTLP_TIMEOUT", 10_000.0) / 1e3,
        )


def _pairs(values: Mapping[str, str], name: str) -> dict[str, str]:
    """Return `key=value,key=value` as a mapping; values are percent-encoded (W3C Baggage)."""
    pairs: dict[str, str] = {}
    for member in values.get(name, "").split(","):
        if not member.strip():
            continue
        key, equals, value = member.partition("=")
        if not equals or not key.strip():
            raise ConfigError("write it as key=value,key=value", source=name)
        pairs[unquote(key.strip())] = unquote(value.strip())
    return pairs


def _paths(values: Mapping[str, str], name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Return `path,path`; a variable that is set but empty means none."""
    if name not in values:
        return default
    paths = tuple(path.strip() for path in values[name].split(",") if path.strip())
    for path in paths:
        if not path.startswith("/"):
            raise ConfigError(f"{path!r} does not begin with /", source=name)
    return paths


def _number(values: Mapping[str, str], name: str, default: float) -> float:
    text = values.get(name, "")
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{text!r} is not a number", source=name) from None
