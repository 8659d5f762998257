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

SIGNALS = ("spans", "logs")
"""What goes over OTLP; metrics are scraped."""

LOG_STDOUT = "stdout"
LOG_OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a process observes itself. Nothing is sent anywhere unless an endpoint is set.

    `service` is '' for the contract's own name. `otlp_endpoint` is the base URL to which
    `/v1/traces` and `/v1/logs` are added; `traces_endpoint` and `logs_endpoint` are whole URLs for
    one signal, with headers that take the place of `otlp_headers`; only signals in `exported`
    are sent. `spool_directory` keeps what cannot be delivered, up to `spool_max_bytes` a process;
    '' for memory alone.

    `compression` is `gzip` or `none`; '' compresses for every host but this one.

    `log` is `stdout`, `off`, or the path of a file, which is rotated. `process_directory` holds
    one file of metric values for every process of the service; '' means that this process
    answers for itself alone.

    `sampler` is '' for the contract's ratio, decided by the parent where there is one. What the
    sampler drops is kept all the same if it failed (`keep_errors`) or took
    `keep_slow_seconds`, 0 for never; the samplers `always_off` mean what they say.

    With `created_samples` OpenMetrics has a `_created` series for each counter and histogram, as
    many again; protobuf says since when they count without.

    Requests for `quiet_paths` are counted, and leave neither spans nor access lines.

    For tests: without `background` nothing runs by itself and Telemetry.flush does the work, and
    `loud` raises what is otherwise only counted.
    """

    service: str = ""
    environment: str = "development"
    resource_attributes: Mapping[str, str] = field(default_factory=dict)
    otlp_endpoint: str = ""
    otlp_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    traces_endpoint: str = ""
    traces_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    logs_endpoint: str = ""
    logs_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    exported: tuple[str, ...] = SIGNALS
    compression: str = ""
    sampler: str = ""
    sampler_ratio: float = 1.0
    disabled: bool = False
    process_directory: str = ""
    log: str = LOG_STDOUT
    log_max_bytes: int = 64 * 1024 * 1024
    log_files: int = 5
    queue_limit: int = 20_000
    export_buffer_bytes: int = 16 * 1024 * 1024
    export_batch_records: int = 512
    spool_directory: str = ""
    spool_max_bytes: int = 256 * 1024 * 1024
    export_interval_seconds: float = 1.0
    export_timeout_seconds: float = 10.0
    pump_interval_seconds: float = 0.1
    shutdown_timeout_seconds: float = 5.0
    keep_errors: bool = True
    keep_slow_seconds: float = 1.0
    created_samples: bool = False
    quiet_paths: tuple[str, ...] = HEALTH_PATHS
    background: bool = True
    loud: bool = False

    def __post_init__(self) -> None:
        if self.sampler and self.sampler not in SAMPLERS:
            raise ConfigError(
                f"{self.sampler!r} is not a sampler; choose one of {', '.join(SAMPLERS)}",
                source="OTEL_TRACES_SAMPLER",
            )
        if not self.keep_slow_seconds >= 0.0:
            raise ConfigError("must be 0 or more", source="WATCHKEEPER_KEEP_SLOW_SECONDS")
        if not 0.0 <= self.sampler_ratio <= 1.0:
            raise ConfigError("must lie between 0 and 1", source="OTEL_TRACES_SAMPLER_ARG")
        for name, endpoint in (
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.otlp_endpoint),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", self.traces_endpoint),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", self.logs_endpoint),
        ):
            parts = urlsplit(endpoint)
            if endpoint and (parts.scheme not in ("http", "https") or not parts.hostname):
                raise ConfigError("must be a URL such as http://127.0.0.1:9400", source=name)
        if self.compression not in ("", "gzip", "none"):
            raise ConfigError(
                f"{self.compression!r} is not known; choose gzip or none",
                source="OTEL_EXPORTER_OTLP_COMPRESSION",
            )
        for name, number in (
            ("OTEL_BSP_MAX_QUEUE_SIZE", self.queue_limit),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", self.export_batch_records),
            ("OTEL_BSP_SCHEDULE_DELAY", self.export_interval_seconds),
        ):
            if number <= 0:
                raise ConfigError("must be above 0", source=name)

    @property
    def exports(self) -> bool:
        """Whether anything is sent anywhere."""
        return any(self.endpoint_of(signal) for signal in SIGNALS)

    def has_own_endpoint(self, signal: str) -> bool:
        """Return whether `spans` or `logs` have an endpoint that is a whole URL."""
        return bool(self.traces_endpoint if signal == "spans" else self.logs_endpoint)

    def endpoint_of(self, signal: str) -> str:
        """Return where `spans` or `logs` go: a whole URL, or the base for both; '' for nowhere."""
        if signal not in self.exported:
            return ""
        own = self.traces_endpoint if signal == "spans" else self.logs_endpoint
        return own or self.otlp_endpoint

    def compresses(self, signal: str) -> bool:
        """Return whether `spans` or `logs` are gzipped on their way: it pays over a network."""
        if self.compression:
            return self.compression == "gzip"
        host = urlsplit(self.endpoint_of(signal)).hostname or ""
        return not (host in ("localhost", "::1") or host.startswith("127."))

    def headers_of(self, signal: str) -> Mapping[str, str]:
        """Return the headers that go with `spans` or `logs`."""
        own = self.traces_headers if signal == "spans" else self.logs_headers
        return own or self.otlp_headers

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of `environment` (default: os.environ).

        Reads OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_ENDPOINT,
        OTEL_EXPORTER_OTLP_HEADERS, both also for one signal (`_TRACES_`, `_LOGS_`),
        OTEL_EXPORTER_OTLP_TIMEOUT (milliseconds), OTEL_EXPORTER_OTLP_COMPRESSION,
        OTEL_TRACES_EXPORTER and OTEL_LOGS_EXPORTER (otlp or none), OTEL_BSP_SCHEDULE_DELAY
        (milliseconds),
        OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_MAX_EXPORT_BATCH_SIZE, WATCHKEEPER_SPOOL_DIRECTORY,
        OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, OTEL_SDK_DISABLED,
        WATCHKEEPER_PROCESS_DIRECTORY, WATCHKEEPER_LOG, WATCHKEEPER_QUIET_PATHS,
        WATCHKEEPER_CREATED_SAMPLES,
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
            traces_endpoint=values.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""),
            traces_headers=_pairs(values, "OTEL_EXPORTER_OTLP_TRACES_HEADERS"),
            logs_endpoint=values.get("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", ""),
            logs_headers=_pairs(values, "OTEL_EXPORTER_OTLP_LOGS_HEADERS"),
            exported=_exported(values),
            compression=values.get("OTEL_EXPORTER_OTLP_COMPRESSION", ""),
            queue_limit=int(_number(values, "OTEL_BSP_MAX_QUEUE_SIZE", 20_000)),
            export_batch_records=int(_number(values, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)),
            export_interval_seconds=_number(values, "OTEL_BSP_SCHEDULE_DELAY", 1000.0) / 1e3,
            spool_directory=values.get("WATCHKEEPER_SPOOL_DIRECTORY", ""),
            sampler=values.get("OTEL_TRACES_SAMPLER", ""),
            sampler_ratio=_number(values, "OTEL_TRACES_SAMPLER_ARG", 1.0),
            disabled=values.get("OTEL_SDK_DISABLED", "").strip().lower() == "true",
            process_directory=values.get("WATCHKEEPER_PROCESS_DIRECTORY", ""),
            log=values.get("WATCHKEEPER_LOG") or LOG_STDOUT,
            created_samples=values.get("WATCHKEEPER_CREATED_SAMPLES", "").strip().lower() == "true",
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


def _exported(values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the signals whose exporter is not `none`."""
    chosen = {
        "spans": ("OTEL_TRACES_EXPORTER", values.get("OTEL_TRACES_EXPORTER", "")),
        "logs": ("OTEL_LOGS_EXPORTER", values.get("OTEL_LOGS_EXPORTER", "")),
    }
    for name, exporter in chosen.values():
        if exporter not in ("", "otlp", "none"):
            raise ConfigError(f"{exporter!r} is not known; choose otlp or none", source=name)
    return tuple([signal for signal, (_, exporter) in chosen.items() if exporter != "none"])


def _number(values: Mapping[str, str], name: str, default: float) -> float:
    text = values.get(name, "")
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{text!r} is not a number", source=name) from None
