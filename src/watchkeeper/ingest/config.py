"""prometheus.yml, as far as this backend does what it says; the rest is refused by name.

Source: prometheus.io, "Configuration". Durations become seconds, sizes bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from watchkeeper.configuration import Duration, convert, read_yaml
from watchkeeper.errors import ConfigError
from watchkeeper.http_client import Authorization, BasicAuth, TlsConfig
from watchkeeper.ingest.relabel import RelabelConfig, Relabeler
from watchkeeper.ingest.size import Size

Section = TypeVar("Section", bound=msgspec.Struct)


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping of the file: unknown keys are errors."""


class GlobalConfig(_Section, frozen=True, kw_only=True):
    """What holds for every scrape job that does not say otherwise."""

    scrape_interval: Duration = Duration(60)
    scrape_timeout: Duration = Duration(10)
    evaluation_interval: Duration = Duration(60)
    external_labels: dict[str, str] = {}
    body_size_limit: Size = Size(0)
    sample_limit: int = 0
    label_limit: int = 0
    label_name_length_limit: int = 0
    label_value_length_limit: int = 0


class StaticConfig(_Section, frozen=True, kw_only=True):
    """Targets (`host:port`) and the labels that all of them get."""

    targets: tuple[str, ...] = ()
    labels: dict[str, str] = {}


class FileDiscovery(_Section, frozen=True, kw_only=True):
    """Files (`*` allowed in the last part) that list targets, looked at again and again."""

    files: tuple[str, ...]
    refresh_interval: Duration = Duration(300)


class ScrapeConfig(_Section, frozen=True, kw_only=True):
    """One job. Zero limits mean the global ones, and zero there means none."""

    job_name: str
    static_configs: tuple[StaticConfig, ...] = ()
    file_sd_configs: tuple[FileDiscovery, ...] = ()
    scrape_interval: Duration | None = None
    scrape_timeout: Duration | None = None
    metrics_path: str = "/metrics"
    scheme: Literal["http", "https"] = "http"
    params: dict[str, tuple[str, ...]] = {}
    honor_labels: bool = False
    honor_timestamps: bool = True
    track_timestamps_staleness: bool = False
    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    tls_config: TlsConfig | None = None
    follow_redirects: bool = True
    enable_compression: bool = True
    body_size_limit: Size = Size(0)
    sample_limit: int = 0
    label_limit: int = 0
    label_name_length_limit: int = 0
    label_value_length_limit: int = 0
    relabel_configs: tuple[RelabelConfig, ...] = ()
    metric_relabel_configs: tuple[RelabelConfig, ...] = ()


class _Document(_Section, frozen=True, kw_only=True):
    global_: GlobalConfig | None = msgspec.field(default=None, name="global")
    rule_files: tuple[str, ...] = ()
    scrape_configs: tuple[ScrapeConfig, ...] = ()
    alerting: dict[str, Any] = {}


class PrometheusConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. Jobs have their intervals and limits filled in; paths are absolute.

    `alerting` is kept as it was written: this backend notifies by itself.
    """

    source: str
    global_: GlobalConfig
    rule_files: tuple[str, ...]
    scrape_configs: tuple[ScrapeConfig, ...]
    alerting: dict[str, Any]

    def rule_paths(self) -> tuple[Path, ...]:
        """Return the rule files that exist now, sorted, each once."""
        return tuple(sorted({path for pattern in self.rule_files for path in matching(pattern)}))


def load_config(path: Path) -> PrometheusConfig:
    """Return what a prometheus.yml says. Raises ConfigError that names the file and the place."""
    source = str(path)
    document = convert(read_yaml(path) or {}, _Document, source=source)
    general = document.global_ or GlobalConfig()
    jobs = tuple(
        _completed(job, general, path, f"$.scrape_configs[{number}]")
        for number, job in enumerate(document.scrape_configs)
    )
    names = [job.job_name for job in jobs]
    for number, name in enumerate(names):
        if name in names[:number]:
            where = f"$.scrape_configs[{number}]"
            raise ConfigError(f"job_name {name!r} is given twice", source=source, path=where)
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


def _completed(job: ScrapeConfig, general: GlobalConfig, path: Path, where: str) -> ScrapeConfig:
    interval, timeout = job.scrape_interval, job.scrape_timeout
    if interval is None:
        interval = general.scrape_interval
    if timeout is None:
        timeout = Duration(min(general.scrape_timeout, interval))
    _check(job, interval, timeout, str(path), where)
    return msgspec.structs.replace(
        job,
        scrape_interval=interval,
        scrape_timeout=timeout,
        body_size_limit=job.body_size_limit or general.body_size_limit,
        sample_limit=job.sample_limit or general.sample_limit,
        label_limit=job.label_limit or general.label_limit,
        label_name_length_limit=job.label_name_length_limit or general.label_name_length_limit,
        label_value_length_limit=job.label_value_length_limit or general.label_value_length_limit,
        file_sd_configs=tuple(
            msgspec.structs.replace(
                discovery, files=tuple(_absolute(name, path) for name in discovery.files)
            )
            for discovery in job.file_sd_configs
        ),
        basic_auth=_with_paths(job.basic_auth, path, "password_file"),
        authorization=_with_paths(job.authorization, path, "credentials_file"),
        tls_config=_with_paths(job.tls_config, path, "ca_file", "cert_file", "key_file"),
    )


def _check(
    job: ScrapeConfig, interval: Duration, timeout: Duration, source: str, where: str
) -> None:
    problems = {
        "job_name is empty": not job.job_name,
        f"scrape_interval {interval} is not above zero": interval <= 0,
        f"scrape_timeout {timeout} is not above zero": timeout <= 0,
        f"scrape_timeout {timeout} is longer than scrape_interval {interval}": timeout > interval,
        "give basic_auth or authorization, not both": job.basic_auth is not None
        and job.authorization is not None,
    }
    for reason, holds in problems.items():
        if holds:
            raise ConfigError(reason, source=source, path=where)
    for key in ("relabel_configs", "metric_relabel_configs"):
        Relabeler.compile(getattr(job, key), source=source, path=f"{where}.{key}")


def _with_paths(section: Section | None, path: Path, *keys: str) -> Section | None:
    if section is None:
        return None
    named = {key: _absolute(getattr(section, key), path) for key in keys if getattr(section, key)}
    return msgspec.structs.replace(section, **named)


def _absolute(name: str, path: Path) -> str:
    return str(path.absolute().parent / name)
