"""prometheus.yml, as far as this backend does what it says; the rest is refused by name.

Source: prometheus.io, "Configuration". Durations become seconds, sizes bytes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from watchkeeper.configuration import Duration, convert, read_yaml
from watchkeeper.errors import ConfigError
from watchkeeper.http_client import HttpClientConfig
from watchkeeper.ingest.contradictions import contradictions
from watchkeeper.ingest.relabel import RelabelConfig, Relabeler
from watchkeeper.ingest.scrape_protocols import EscapingScheme, ScrapeProtocol, default_protocols
from watchkeeper.ingest.size import Size

Section = TypeVar("Section", bound=msgspec.Struct)
Client = TypeVar("Client", bound=HttpClientConfig)

_USUAL_TIMEOUT = Duration(10)
_RULE_FILES = re.compile(r"[^*]*(\*[^/]*)?\Z")
"""Prometheus, config.patRulePath."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping of the file: unknown keys are errors."""


NameValidation = Literal["utf8", "legacy"]
Limit = Annotated[int, msgspec.Meta(ge=0)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
Names = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class GlobalConfig(_Section, frozen=True, kw_only=True):
    """What holds for every scrape job that does not say otherwise."""

    scrape_interval: Duration = Duration(60)
    scrape_timeout: Duration | None = None
    evaluation_interval: Duration = Duration(60)
    external_labels: dict[str, str] = {}
    body_size_limit: Size = Size(0)
    sample_limit: Limit = 0
    target_limit: Limit = 0
    label_limit: Limit = 0
    label_name_length_limit: Limit = 0
    label_value_length_limit: Limit = 0
    scrape_protocols: tuple[ScrapeProtocol, ...] | None = None
    scrape_native_histograms: bool = False
    always_scrape_classic_histograms: bool = False
    extra_scrape_metrics: bool = False
    metric_name_validation_scheme: NameValidation = "utf8"
    metric_name_escaping_scheme: EscapingScheme | None = None


class StaticConfig(_Section, frozen=True, kw_only=True):
    """Targets (`host:port`) and the labels that all of them get."""

    targets: tuple[str, ...] = ()
    labels: dict[str, str] = {}


class FileDiscovery(_Section, frozen=True, kw_only=True):
    """Files (`*` allowed in the last part) that list targets, looked at again and again."""

    files: Names
    refresh_interval: Duration = Duration(300)


class DnsDiscovery(_Section, frozen=True, kw_only=True):
    """Names whose records are the targets. `port` is that of all but SRV records."""

    names: Names
    type: Literal["SRV", "A", "AAAA", "MX", "NS"] = "SRV"
    port: Port = 0
    refresh_interval: Duration = Duration(30)


class HttpDiscovery(HttpClientConfig, frozen=True, kw_only=True):
    """An address that answers with target groups in JSON."""

    url: str
    refresh_interval: Duration = Duration(60)


class ScrapeConfig(HttpClientConfig, frozen=True, kw_only=True):
    """One job. Zero limits, and what is None, mean the global ones, where zero means none.

    `native_histogram_bucket_limit` and `native_histogram_min_bucket_factor` make native
    histograms coarser; where that is not enough, a scrape fails.
    """

    job_name: str
    static_configs: tuple[StaticConfig, ...] = ()
    file_sd_configs: tuple[FileDiscovery, ...] = ()
    dns_sd_configs: tuple[DnsDiscovery, ...] = ()
    http_sd_configs: tuple[HttpDiscovery, ...] = ()
    scrape_interval: Duration | None = None
    scrape_timeout: Duration | None = None
    metrics_path: str = "/metrics"
    scheme: Literal["http", "https"] = "http"
    params: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    honor_labels: bool = False
    honor_timestamps: bool = True
    track_timestamps_staleness: bool = False
    enable_compression: bool = True
    body_size_limit: Size = Size(0)
    sample_limit: Limit = 0
    target_limit: Limit = 0
    label_limit: Limit = 0
    label_name_length_limit: Limit = 0
    label_value_length_limit: Limit = 0
    native_histogram_bucket_limit: Limit = 0
    native_histogram_min_bucket_factor: Annotated[float, msgspec.Meta(ge=0)] = 0
    scrape_protocols: tuple[ScrapeProtocol, ...] | None = None
    fallback_scrape_protocol: ScrapeProtocol | None = None
    scrape_native_histograms: bool | None = None
    always_scrape_classic_histograms: bool | None = None
    extra_scrape_metrics: bool | None = None
    metric_name_validation_scheme: NameValidation | None = None
    metric_name_escaping_scheme: EscapingScheme | None = None
    relabel_configs: tuple[RelabelConfig, ...] = ()
    metric_relabel_configs: tuple[RelabelConfig, ...] = ()


class AlertingConfig(_Section, frozen=True, kw_only=True):
    """Whom a Prometheus tells of alerts, as it was written: this backend notifies by itself."""

    alertmanagers: tuple[dict[str, Any], ...] = ()


class _Document(_Section, frozen=True, kw_only=True):
    global_: GlobalConfig | None = msgspec.field(default=None, name="global")
    rule_files: tuple[str, ...] = ()
    scrape_configs: tuple[ScrapeConfig, ...] = ()
    alerting: AlertingConfig = AlertingConfig()


class PrometheusConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. Jobs have their intervals and limits filled in; paths are absolute."""

    source: str
    global_: GlobalConfig
    rule_files: tuple[str, ...]
    scrape_configs: tuple[ScrapeConfig, ...]
    alerting: AlertingConfig

    def rule_paths(self) -> tuple[Path, ...]:
        """Return the rule files that exist now, sorted, each once."""
        return tuple(sorted({path for pattern in self.rule_files for path in matching(pattern)}))


def load_config(path: Path) -> PrometheusConfig:
    """Return what a prometheus.yml says. Raises ConfigError that names the file and the place."""
    source = str(path)
    document = convert(read_yaml(path) or {}, _Document, source=source)
    general = _timed(document.global_ or GlobalConfig(), source)
    jobs = tuple(
        _completed(job, general, path, f"$.scrape_configs[{number}]")
        for number, job in enumerate(document.scrape_configs)
    )
    names = [job.job_name for job in jobs]
    for number, name in enumerate(names):
        if name in names[:number]:
            where = f"$.scrape_configs[{number}]"
            raise ConfigError(f"job_name {name!r} is given twice", source=source, path=where)
    for number, pattern in enumerate(document.rule_files):
        if not _RULE_FILES.match(pattern):
            where = f"$.rule_files[{number}]"
            reason = f"{pattern!r}: only the last part of a path may hold `*`"
            raise ConfigError(reason, source=source, path=where)
    return PrometheusConfig(
        source=source,
        global_=general,
        rule_files=tuple(_absolute(pattern, path) for pattern in document.rule_files),
        scrape_configs=jobs,
        alerting=document.alerting,
    )


def matching(pattern: str) -> tuple[Path, ...]:
    """Return the files that an absolute path means, whose last part may hold `*`; sorted."""
    path = Path(pattern)
    return tuple(sorted(path.parent.glob(path.name)))


def _timed(general: GlobalConfig, source: str) -> GlobalConfig:
    """Return the global section with its timeout. Raises ConfigError where it is too long."""
    interval, timeout = general.scrape_interval, general.scrape_timeout
    if timeout is None:
        timeout = Duration(min(_USUAL_TIMEOUT, interval))
    if timeout > interval:
        reason = f"scrape_timeout {timeout} is longer than scrape_interval {interval}"
        raise ConfigError(reason, source=source, path="$.global")
    return msgspec.structs.replace(general, scrape_timeout=timeout)


def _completed(job: ScrapeConfig, general: GlobalConfig, path: Path, where: str) -> ScrapeConfig:
    interval, timeout = job.scrape_interval, job.scrape_timeout
    if interval is None:
        interval = general.scrape_interval
    if timeout is None:
        timeout = Duration(min(general.scrape_timeout or _USUAL_TIMEOUT, interval))
    job = _inheriting(job, general)
    job = msgspec.structs.replace(
        job,
        scrape_interval=interval,
        scrape_timeout=timeout,
        file_sd_configs=tuple(
            msgspec.structs.replace(
                discovery, files=tuple(_absolute(name, path) for name in discovery.files)
            )
            for discovery in job.file_sd_configs
        ),
        http_sd_configs=tuple(_client_paths(one, path) for one in job.http_sd_configs),
    )
    _check(job, str(path), where)
    return _client_paths(job, path)


_INHERITED = (
    *("body_size_limit", "sample_limit", "target_limit", "label_limit"),
    *("label_name_length_limit", "label_value_length_limit"),
)
_INHERITED_IF_NONE = (
    *("scrape_native_histograms", "always_scrape_classic_histograms", "extra_scrape_metrics"),
    *("scrape_protocols", "metric_name_validation_scheme", "metric_name_escaping_scheme"),
)


def _inheriting(job: ScrapeConfig, general: GlobalConfig) -> ScrapeConfig:
    """Return a job with what it leaves to the global section, and what follows from it."""
    filled: dict[str, Any] = {
        name: getattr(general, name) for name in _INHERITED if not getattr(job, name)
    }
    filled |= {
        name: getattr(general, name) for name in _INHERITED_IF_NONE if getattr(job, name) is None
    }
    job = msgspec.structs.replace(job, **filled)
    protocols, escaping = job.scrape_protocols, job.metric_name_escaping_scheme
    if protocols is None:
        protocols = default_protocols(native_histograms=bool(job.scrape_native_histograms))
    if escaping is None:
        legacy = job.metric_name_validation_scheme == "legacy"
        escaping = "underscores" if legacy else "allow-utf-8"
    return msgspec.structs.replace(
        job, scrape_protocols=protocols, metric_name_escaping_scheme=escaping
    )


def _check(job: ScrapeConfig, source: str, where: str) -> None:
    for reason in contradictions(job):
        raise ConfigError(reason, source=source, path=where)
    for key in ("relabel_configs", "metric_relabel_configs"):
        Relabeler.compile(getattr(job, key), source=source, path=f"{where}.{key}")


def _client_paths(section: Client, path: Path) -> Client:
    """Return an HTTP client's section with the paths of its files absolute."""
    headers = {
        name: msgspec.structs.replace(
            given, files=tuple(_absolute(file, path) for file in given.files)
        )
        for name, given in section.http_headers.items()
    }
    return msgspec.structs.replace(
        section,
        basic_auth=_with_paths(section.basic_auth, path, "password_file"),
        authorization=_with_paths(section.authorization, path, "credentials_file"),
        tls_config=_with_paths(section.tls_config, path, "ca_file", "cert_file", "key_file"),
        http_headers=headers,
    )


def _with_paths(section: Section | None, path: Path, *keys: str) -> Section | None:
    if section is None:
        return None
    named = {key: _absolute(getattr(section, key), path) for key in keys if getattr(section, key)}
    return msgspec.structs.replace(section, **named)


def _absolute(name: str, path: Path) -> str:
    return str(path.absolute().parent / name)
