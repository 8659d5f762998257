"""Files and directories into subjects and known signals: what each is, is told by its content."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from watchkeeper.check.document import DocumentError, Node
from watchkeeper.check.json_document import read_json
from watchkeeper.check.known import TARGET_LABELS, Known, KnownMetric
from watchkeeper.check.read_alertmanager import is_alertmanager, read_alertmanager
from watchkeeper.check.read_dashboards import is_dashboard, read_dashboard
from watchkeeper.check.read_exposition import read_exposition
from watchkeeper.check.read_prometheus import is_prometheus, read_prometheus, target_labels
from watchkeeper.check.read_python import declares_metrics, parsed, read_python
from watchkeeper.check.read_rules import read_rules
from watchkeeper.check.source import Source
from watchkeeper.check.subject import Subjects, Unreadable
from watchkeeper.check.yaml_document import read_yaml
from watchkeeper.errors import ConfigError, DecodeError

_YAML = frozenset({".yml", ".yaml", ".rules"})
_SNAPSHOT = frozenset({".prom", ".metrics", ".om"})
_EXPOSITION = _SNAPSHOT | {".txt"}
"""A text file is a snapshot where it is named itself; in a directory it may be anything."""
_SKIPPED = frozenset({".git", ".venv", "node_modules", "__pycache__"})


@dataclass(slots=True)
class Reading:
    """What was read so far. `known` has the metrics that code and snapshots declare."""

    subjects: Subjects = field(default_factory=Subjects)
    metrics: tuple[KnownMetric, ...] = ()
    target_labels: frozenset[str] = TARGET_LABELS

    def known(self) -> Known:
        """Return the signals that the files declare; open where they declare none."""
        return Known(self.metrics, bool(self.metrics), self.target_labels)


def read_paths(paths: Iterable[Path]) -> Reading:
    """Return what files and directories hold. Raises ConfigError: no such file, not text."""
    return read_sources(_sources(paths))


def read_sources(sources: Iterable[Source]) -> Reading:
    """Return what texts hold; their names tell how they are written."""
    reading = Reading()
    code: list[Source] = []
    for source in sources:
        if source.name.endswith(".py"):
            if declares_metrics(source):
                code.append(source)
            continue
        try:
            _read(reading, source)
        except DocumentError as error:
            _refuse(reading, source, error.offset, error.reason)
        except DecodeError as error:
            _refuse(reading, source, 0, str(error))
    _read_code(reading, code)
    return reading


def _refuse(reading: Reading, source: Source, offset: int, reason: str) -> None:
    place = source.place(offset, offset)
    reading.subjects += Subjects(
        unreadable=(Unreadable(place, reason),), sources={source.name: source}
    )


def _read(reading: Reading, source: Source) -> None:
    suffix = Path(source.name).suffix
    if suffix in _EXPOSITION:
        metrics = read_exposition(source)
        reading.metrics += metrics
        reading.subjects += Subjects(declared=metrics, sources={source.name: source})
    elif suffix == ".json":
        _add(reading, source, read_json(source))
    elif suffix in _YAML:
        for document in read_yaml(source):
            _add(reading, source, document)


def _add(reading: Reading, source: Source, document: Node) -> None:
    known = Subjects(documents=(document,), sources={source.name: source})
    if document.get("groups") is not None or document.get("spec", "groups") is not None:
        known += read_rules(document)
    elif is_alertmanager(document):
        known += read_alertmanager(document)
    elif is_prometheus(document):
        known += read_prometheus(document)
        reading.target_labels |= target_labels(document)
    elif is_dashboard(document):
        known += read_dashboard(document)
    reading.subjects += known


def _read_code(reading: Reading, code: list[Source]) -> None:
    trees: list[tuple[Source, ast.Module]] = []
    for source in code:
        try:
            trees.append((source, parsed(source)))
        except DocumentError as error:
            _refuse(reading, source, error.offset, error.reason)
    emissions = read_python(trees)
    metrics = tuple(emission.metric for emission in emissions)
    reading.metrics += metrics
    reading.subjects += Subjects(
        emissions=emissions,
        declared=metrics,
        sources={source.name: source for source, _ in trees},
    )


def _sources(paths: Iterable[Path]) -> Iterator[Source]:
    wanted = _YAML | _SNAPSHOT | {".json", ".py"}
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*")):
                inside = file.relative_to(path).parts
                if file.is_file() and file.suffix in wanted and not _SKIPPED & set(inside):
                    yield _source(file)
        else:
            yield _source(path)


def _source(path: Path) -> Source:
    try:
        return Source(str(path), path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot be read ({error.strerror}); is the path right?", source=str(path)
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 at byte {error.start}", source=str(path)) from None
