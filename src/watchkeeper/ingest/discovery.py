"""Discovery: which addresses a job has now, from its own list, from files, and from whom it asks.

Source: prometheus.io, "Configuration", file_sd_config.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from watchkeeper.configuration import convert, read_yaml
from watchkeeper.errors import ConfigError
from watchkeeper.ingest.config import ScrapeConfig, StaticConfig, matching
from watchkeeper.ingest.dns_discovery import DnsTargets
from watchkeeper.ingest.http_discovery import HttpTargets
from watchkeeper.ingest.polling import Asked, Polled
from watchkeeper.ingest.relabel import Relabeler
from watchkeeper.ingest.target import Target, build_target

Fingerprint = tuple[tuple[str, int, int], ...]


def asked_by(job: ScrapeConfig) -> list[Asked]:
    """Return whom a job asks for its targets."""
    return [
        *(DnsTargets(each) for each in job.dns_sd_configs),
        *(HttpTargets(each) for each in job.http_sd_configs),
    ]


class Discovery:
    """The targets of one job. `targets` reads files again; `fingerprint` says when to.

    `polled` are to be run beside it: they ask, and hold the last answers.
    """

    def __init__(
        self, job: ScrapeConfig, *, source: str, asked: Sequence[Asked] | None = None
    ) -> None:
        self._job = job
        self.polled = [Polled(each) for each in (asked_by(job) if asked is None else asked)]
        self._relabeler = Relabeler.compile(
            job.relabel_configs, source=source, path=f"job {job.job_name}.relabel_configs"
        )
        self._of_file: dict[Path, tuple[StaticConfig, ...]] = {}

    def fingerprint(self) -> Fingerprint:
        """Return names, times and sizes of the job's files, and how many answers there were:
        equal means nothing changed."""
        files = [
            (str(path), status.st_mtime_ns, status.st_size)
            for path in self._files()
            if (status := _status(path)) is not None
        ]
        answers = [(str(number), each.generation, 0) for number, each in enumerate(self.polled)]
        return (*files, *answers)

    @property
    def is_complete(self) -> bool:
        """Whether everybody who is asked has answered once."""
        return all(each.generation for each in self.polled)

    def targets(self) -> tuple[list[Target], list[str]]:
        """Return the targets, each once, and what was wrong with the files and answers.

        A file that does not parse keeps the targets it had, as in Prometheus.
        """
        found: dict[Target, None] = {}
        problems: list[str] = []
        for group, labels in self._groups(problems):
            for address in group.targets:
                try:
                    target = build_target(
                        self._job, self._relabeler, address, {**labels, **group.labels}
                    )
                except ConfigError as error:
                    problems.append(str(error))
                    continue
                if target is not None:
                    found[target] = None
        return list(found), problems

    def _groups(self, problems: list[str]) -> Iterator[tuple[StaticConfig, dict[str, str]]]:
        for group in self._job.static_configs:
            yield group, {}
        for polled in self.polled:
            problems += polled.problems
            for group in polled.groups:
                yield group, {}
        files = self._files()
        for gone in self._of_file.keys() - set(files):
            del self._of_file[gone]
        for path in files:
            try:
                self._of_file[path] = convert(
                    read_yaml(path) or (), tuple[StaticConfig, ...], source=str(path)
                )
            except ConfigError as error:
                problems.append(str(error))
            for group in self._of_file.get(path, ()):
                yield group, {"__meta_filepath": str(path)}

    def _files(self) -> tuple[Path, ...]:
        return tuple(
            path
            for discovery in self._job.file_sd_configs
            for pattern in discovery.files
            for path in matching(pattern)
        )


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
