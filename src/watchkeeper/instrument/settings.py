"""What the environment says about telemetry: OpenTelemetry's variables, and a few of our own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from watchkeeper.errors import ConfigError
from watchkeeper.instrument.destination import AS_FOR_ALL, SIGNALS, Destination
from watchkeeper.instrument.environment import PROPAGATORS, Environment
from watchkeeper.instrument.span_limits import DEFAULT_LIMITS, SpanLimits

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

PATHS = {"spans": "/v1/traces", "logs": "/v1/logs"}
"""What is added to the base endpoint; an endpoint of a signal's own is used as it is."""

LOG_STDOUT = "stdout"
LOG_OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a process observes itself. Nothing is sent anywhere unless an endpoint is set.

    `service` is '' for the contract's own name. `otlp_endpoint` is the base URL to which
    `/v1/traces` and `/v1/logs` are added; `traces` and `logs` say of one signal what differs from
    that and from the other settings for all; only signals in `exported` are sent.
    `spool_directory` keeps what cannot be delivered, up to `spool_max_bytes` a process; '' for
    memory alone. `compression` and the certificates are as Destination has them.

    `propagators` are the headers that are read and sent on: tracecontext, baggage. `unused` are
    sentences about variables that have no effect, logged at the start.

    Texts in the fields of log lines are cut to `log_value_characters`.

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
    otlp_endpoint: str = field(default="", repr=False)
    otlp_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    traces: Destination = AS_FOR_ALL
    logs: Destination = AS_FOR_ALL
    exported: tuple[str, ...] = SIGNALS
    compression: str = ""
    certificate: str = ""
    client_certificate: str = ""
    client_key: str = ""
    propagators: tuple[str, ...] = PROPAGATORS
    span_limits: SpanLimits = DEFAULT_LIMITS
    log_value_characters: int | None = None
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
    unused: tuple[str, ...] = ()

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
        self._for_all().check("")
        self.traces.check("TRACES_")
        self.logs.check("LOGS_")
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
        return any(self.destination_of(signal).endpoint for signal in SIGNALS)

    def destination_of(self, signal: str) -> Destination:
        """Return where `spans` or `logs` go, all told; without an endpoint, nowhere."""
        own = self.traces if signal == "spans" else self.logs
        common = self._for_all()
        endpoint = own.endpoint or (common.endpoint and _with_path(common.endpoint, PATHS[signal]))
        return Destination(
            endpoint=endpoint if signal in self.exported else "",
            headers=own.headers or common.headers,
            timeout_seconds=own.timeout_seconds or common.timeout_seconds,
            compression=own.compression or common.compression,
            certificate=own.certificate or common.certificate,
            client_certificate=own.client_certificate or common.client_certificate,
            client_key=own.client_key or common.client_key,
        )

    def _for_all(self) -> Destination:
        return Destination(
            endpoint=self.otlp_endpoint,
            headers=self.otlp_headers,
            timeout_seconds=self.export_timeout_seconds,
            compression=self.compression,
            certificate=self.certificate,
            client_certificate=self.client_certificate,
            client_key=self.client_key,
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings of `environment` (default: os.environ).

        Reads OpenTelemetry's variables of the service, the resource, OTLP over HTTP (also for one
        signal), the exporters, the batch span processor, the sampler, the propagators and the
        limits of spans, then those of our own: docs/settings.md has them all. A variable of
        OpenTelemetry's that has no effect is told in `unused`.
        Raises ConfigError, which names the variable.
        """
        values = Environment(os.environ if environment is None else environment)
        resource = values.pairs("OTEL_RESOURCE_ATTRIBUTES")
        common = values.destination("")
        return cls(
            service=values.text("OTEL_SERVICE_NAME") or resource.get("service.name", ""),
            environment=values.text("ENVIRONMENT")
            or resource.get("deployment.environment.name", "development"),
            resource_attributes=resource,
            otlp_endpoint=common.endpoint,
            otlp_headers=common.headers,
            traces=values.destination("TRACES_"),
            logs=values.destination("LOGS_"),
            exported=_exported(values),
            compression=common.compression,
            certificate=common.certificate,
            client_certificate=common.client_certificate,
            client_key=common.client_key,
            propagators=values.propagators(),
            span_limits=values.span_limits(),
            log_value_characters=values.log_value_characters(),
            queue_limit=int(values.number("OTEL_BSP_MAX_QUEUE_SIZE", 20_000)),
            export_batch_records=int(values.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)),
            export_interval_seconds=values.number("OTEL_BSP_SCHEDULE_DELAY", 1000.0) / 1e3,
            export_timeout_seconds=common.timeout_seconds or 10.0,
            spool_directory=values.text("WATCHKEEPER_SPOOL_DIRECTORY"),
            sampler=values.text("OTEL_TRACES_SAMPLER"),
            sampler_ratio=values.number("OTEL_TRACES_SAMPLER_ARG", 1.0),
            disabled=values.flag("OTEL_SDK_DISABLED", default=False),
            process_directory=values.text("WATCHKEEPER_PROCESS_DIRECTORY"),
            log=values.text("WATCHKEEPER_LOG", LOG_STDOUT),
            created_samples=values.flag("WATCHKEEPER_CREATED_SAMPLES", default=False),
            keep_errors=values.flag("WATCHKEEPER_KEEP_ERRORS", default=True),
            keep_slow_seconds=values.number("WATCHKEEPER_KEEP_SLOW_SECONDS", 1.0),
            quiet_paths=values.paths("WATCHKEEPER_QUIET_PATHS", HEALTH_PATHS),
            unused=values.unused(),
        )


def _with_path(base: str, path: str) -> str:
    parts = urlsplit(base)
    return parts._replace(path=f"{parts.path.rstrip('/')}{path}").geturl()


def _exported(values: Environment) -> tuple[str, ...]:
    """Return the signals whose exporter is not `none`."""
    chosen = {
        "spans": values.choice("OTEL_TRACES_EXPORTER", ("otlp", "none")),
        "logs": values.choice("OTEL_LOGS_EXPORTER", ("otlp", "none")),
    }
    return tuple([signal for signal, exporter in chosen.items() if exporter != "none"])
