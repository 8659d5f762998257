"""All files of a contract, and putting them on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from watchkeeper.contract import Contract
from watchkeeper.render import (
    alertmanager,
    elasticsearch,
    grafana,
    grafana_sources,
    jaeger,
    kibana,
    kubernetes,
    prometheus,
    shippers,
)
from watchkeeper.render.document import Document


def documents(contract: Contract) -> Iterator[Document]:
    """Yield every file that the contract renders to."""
    yield prometheus.config(contract)
    yield from prometheus.rule_files(contract)
    if (config := alertmanager.config(contract)) is not None:
        yield config
    yield from grafana.dashboards(contract)
    yield from grafana_sources.provisioning(contract)
    yield from elasticsearch.documents(contract)
    yield from shippers.documents(contract)
    yield kibana.saved_objects(contract)
    yield jaeger.sampling(contract)
    yield from kubernetes.documents(contract)


def differences(contract: Contract, directory: Path) -> list[Path]:
    """Return the files under `directory` that are missing or say something else."""
    return [
        path
        for document in documents(contract)
        if not _says(path := directory / document.path, document.text)
    ]


def render(contract: Contract, directory: Path) -> list[Path]:
    """Write every file of the contract under `directory` and return their paths.

    A file that already says the same is left alone, so that its time tells when it changed.
    """
    written = []
    for document in documents(contract):
        path = directory / document.path
        if not _says(path, document.text):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(document.text, encoding="utf-8")
        written.append(path)
    return written


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
