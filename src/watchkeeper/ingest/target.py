"""Targets: from what discovery found, by relabelling, to an address with labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from watchkeeper.configuration import Duration
from watchkeeper.errors import ConfigError, DecodeError
from watchkeeper.ingest.config import ScrapeConfig
from watchkeeper.ingest.relabel import Relabeler
from watchkeeper.model import METRIC_NAME, Labels, labels
from watchkeeper.wire.series import LABEL_NAME_PATTERN, METRIC_NAME_PATTERN

ADDRESS = "__address__"
_PARAMETER = "__param_"
_EXPORTED = "exported_"


@dataclass(frozen=True, slots=True)
class Target:
    """One address to scrape. `labels` go onto its series; `discovered_labels` are what they
    were made from."""

    job: str
    url: str
    labels: Labels
    discovered_labels: Labels
    interval_seconds: float
    timeout_seconds: float


def build_target(
    job: ScrapeConfig, relabeler: Relabeler, address: str, found: Mapping[str, str]
) -> Target | None:
    """Return the target at `address` with the labels that discovery found; None if dropped.

    Raises ConfigError when relabelling leaves no address, or an interval that is none.
    """
    discovered = {
        "job": job.job_name,
        "__scheme__": job.scheme,
        "__metrics_path__": job.metrics_path,
        "__scrape_interval__": str(job.scrape_interval),
        "__scrape_timeout__": str(job.scrape_timeout),
        **{f"{_PARAMETER}{name}": values[0] for name, values in job.params.items() if values},
        **found,
        ADDRESS: address,
    }
    kept = relabeler.apply(discovered)
    if kept is None:
        return None
    if not kept.get(ADDRESS):
        raise ConfigError(f"job {job.job_name}: relabelling leaves a target without __address__")
    if "/" in kept[ADDRESS]:
        raise ConfigError(f"job {job.job_name}: target {kept[ADDRESS]!r} is no host:port")
    kept.setdefault("instance", kept[ADDRESS])
    return Target(
        job=job.job_name,
        url=_url(job, kept),
        labels=labels({name: text for name, text in kept.items() if not name.startswith("__")}),
        discovered_labels=labels(discovered),
        interval_seconds=_seconds(job, kept["__scrape_interval__"]),
        timeout_seconds=_seconds(job, kept["__scrape_timeout__"]),
    )


def _url(job: ScrapeConfig, kept: Mapping[str, str]) -> str:
    parameters = {name: list(values) for name, values in job.params.items()}
    for name, value in kept.items():
        if name.startswith(_PARAMETER):
            parameter = name.removeprefix(_PARAMETER)
            parameters[parameter] = [value, *parameters.get(parameter, [])[1:]]
    query = f"?{urlencode(parameters, doseq=True)}" if parameters else ""
    return f"{kept['__scheme__']}://{kept[ADDRESS]}{kept.get('__metrics_path__', '')}{query}"


def _seconds(job: ScrapeConfig, text: str) -> float:
    try:
        seconds = float(Duration.parse(text))
    except ValueError as error:
        raise ConfigError(f"job {job.job_name}: after relabelling, {error}") from None
    if seconds <= 0:
        raise ConfigError(f"job {job.job_name}: after relabelling, an interval of {text}")
    return seconds


@dataclass(frozen=True, slots=True)
class SeriesLabeler:
    """Turns the labels that a target exposes into those that are stored.

    With `honor_labels` what the target says wins over the target's own labels; otherwise it is
    kept under `exported_<name>`.
    """

    target_labels: Labels
    honor_labels: bool
    relabeler: Relabeler
    legacy_names: bool = False

    def __call__(self, exposed: Labels) -> Labels | None:
        """Return the stored label set, or None if relabelling drops the series.

        With `legacy_names`, raises DecodeError for a name that Prometheus 2 did not know.
        """
        merged = dict(exposed)
        if self.legacy_names:
            _require_legacy(merged)
        for name, value in self.target_labels:
            if name not in merged:
                merged[name] = value
            elif not self.honor_labels:
                theirs = merged[name]
                merged[name] = value
                free = _EXPORTED + name
                while free in merged:
                    free = _EXPORTED + free
                merged[free] = theirs
        if not self.relabeler:
            return labels(merged)
        kept = self.relabeler.apply(merged)
        return labels(kept) if kept and METRIC_NAME in kept else None


def _require_legacy(exposed: Mapping[str, str]) -> None:
    name = exposed.get(METRIC_NAME, "")
    for text, pattern in (
        (name, METRIC_NAME_PATTERN),
        *((label, LABEL_NAME_PATTERN) for label in exposed),
    ):
        if not pattern.match(text):
            scheme = "metric_name_validation_scheme is legacy"
            raise DecodeError(f"series {name[:80]!r}: {text[:80]!r} is no name: {scheme}")
