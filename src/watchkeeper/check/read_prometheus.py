"""prometheus.yml: how often is scraped and evaluated, and which labels are added."""

from __future__ import annotations

from watchkeeper.check.document import Node
from watchkeeper.check.subject import Subjects, Timing
from watchkeeper.configuration import Duration

_DEFAULT = "1m"
"""Prometheus' own scrape and evaluation interval."""


def is_prometheus(document: Node) -> bool:
    """Whether a YAML document configures Prometheus."""
    return document.get("scrape_configs") is not None


def read_prometheus(document: Node) -> Subjects:
    """Return what a Prometheus configuration says of time and labels."""
    external = document.get("global", "external_labels")
    return Subjects(
        timing=Timing(
            scrape_seconds=_seconds(document, "scrape_interval"),
            evaluation_seconds=_seconds(document, "evaluation_interval"),
            external_labels=frozenset(name for name, _ in external.items())
            if external is not None
            else frozenset(),
        )
    )


def target_labels(document: Node) -> frozenset[str]:
    """Return the labels that its scrape configurations put on targets."""
    found: set[str] = set()
    for job in document.elements("scrape_configs"):
        for group in job.elements("static_configs"):
            labels = group.get("labels")
            found |= {name for name, _ in labels.items()} if labels is not None else set()
        for rule in job.elements("relabel_configs"):
            found.add(rule.string("target_label"))
    return frozenset(name for name in found if name and not name.startswith("__"))


def _seconds(document: Node, name: str) -> float:
    try:
        return float(Duration.parse(document.scalar("global", name) or _DEFAULT))
    except ValueError:
        return float(Duration.parse(_DEFAULT))
