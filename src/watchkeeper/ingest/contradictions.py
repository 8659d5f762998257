"""What a scrape job says that cannot be, and Prometheus refuses too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from watchkeeper.ingest.config import ScrapeConfig

_TARGET_FILE = re.compile(r"[^*]*(\*[^/]*)?\.(json|ya?ml|JSON|YA?ML)\Z")
"""Prometheus, discovery/file, patFileSDName."""


def contradictions(job: ScrapeConfig) -> Iterator[str]:
    """Yield what is wrong with a job that has its intervals and formats filled in."""
    if not job.job_name:
        yield "job_name is empty"
    yield from _of_times(job)
    yield from _of_formats(job)
    yield from _of_discovery(job)
    for client in (job, *job.http_sd_configs):
        if problem := client.problem():
            yield problem


def _of_times(job: ScrapeConfig) -> Iterator[str]:
    interval, timeout = job.scrape_interval or 0, job.scrape_timeout or 0
    if interval <= 0:
        yield f"scrape_interval {job.scrape_interval} is not above zero"
    if timeout <= 0:
        yield f"scrape_timeout {job.scrape_timeout} is not above zero"
    if timeout > interval:
        yield f"scrape_timeout {job.scrape_timeout} is longer than scrape_interval {interval}"
    waits = (
        *(one.refresh_interval for one in job.file_sd_configs),
        *(one.refresh_interval for one in job.dns_sd_configs),
        *(one.refresh_interval for one in job.http_sd_configs),
    )
    for wait in waits:
        if wait <= 0:
            yield f"refresh_interval {wait} is not above zero"


def _of_formats(job: ScrapeConfig) -> Iterator[str]:
    protocols = job.scrape_protocols or ()
    if not protocols:
        yield "scrape_protocols is empty"
    if len(set(protocols)) < len(protocols):
        yield "scrape_protocols names one twice"
    legacy = job.metric_name_validation_scheme == "legacy"
    if legacy and job.metric_name_escaping_scheme == "allow-utf-8":
        yield "metric_name_escaping_scheme allow-utf-8 contradicts legacy names"


def _of_discovery(job: ScrapeConfig) -> Iterator[str]:
    for target in (one for group in job.static_configs for one in group.targets):
        if not target or "/" in target:
            yield f"static_configs: {target!r} is no host:port; scheme and path are keys"
    for name in (one for found in job.file_sd_configs for one in found.files):
        if not _TARGET_FILE.match(name):
            yield (
                f"file_sd_configs: {name!r} is no target file: .json, .yml or .yaml, and `*` in"
                " the last part alone"
            )
    for dns in job.dns_sd_configs:
        if dns.type != "SRV" and not dns.port:
            yield f"dns_sd_configs: {dns.type} records need a port"
    for asked in job.http_sd_configs:
        if not _is_http(asked.url):
            yield f"http_sd_configs: {asked.url!r} is no http address"


def _is_http(url: str) -> bool:
    return url.startswith(("http://", "https://")) and bool(urlsplit(url).hostname)
