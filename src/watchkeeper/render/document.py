"""A rendered file: where it goes, what it says, and that it is not edited by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from watchkeeper.configuration import Duration

HEADER = (
    "# Rendered from the contract of {service} by `make render`: change the contract instead.\n"
)


@dataclass(frozen=True, slots=True)
class Document:
    """A file to write: its path under the target directory, and its text."""

    path: PurePosixPath
    text: str


class _Plain(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes what stands in two places twice, without anchors: people read these files."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def yaml_document(path: str, service: str, content: Any) -> Document:
    """Return `content` as YAML in the order it was built, under a header that names its source."""
    body = yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=1000)
    return Document(PurePosixPath(path), HEADER.format(service=service) + body)


def json_document(path: str, content: Any) -> Document:
    """Return `content` as indented JSON."""
    return Document(PurePosixPath(path), json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def text_document(path: str, text: str) -> Document:
    """Return text as it is."""
    return Document(PurePosixPath(path), text)


def duration(seconds: float) -> str:
    """Return a duration as Prometheus writes it."""
    return str(Duration(seconds))
