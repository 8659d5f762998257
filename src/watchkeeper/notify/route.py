"""The routing tree: which receivers an alert goes to, and how it is grouped there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from watchkeeper.model import Labels
from watchkeeper.notify.matchers import Matchers

GROUP_WAIT_NS = 30 * 1_000_000_000
GROUP_INTERVAL_NS = 300 * 1_000_000_000
REPEAT_INTERVAL_NS = 4 * 3600 * 1_000_000_000
"""What a root route that says nothing gets (Alertmanager, dispatch/route.go)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the tree, with everything that it inherits filled in.

    `identity` tells it from every other node; `key` is Alertmanager's name for it, from which
    group keys are made. `group_by` is None for `...`, every label.
    """

    identity: str
    key: str
    receiver: str
    matchers: Matchers
    group_by: tuple[str, ...] | None = ()
    group_wait_ns: int = GROUP_WAIT_NS
    group_interval_ns: int = GROUP_INTERVAL_NS
    repeat_interval_ns: int = REPEAT_INTERVAL_NS
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    continues: bool = False
    children: tuple[Route, ...] = ()

    def match(self, labels: Mapping[str, str]) -> list[Route]:
        """Return the nodes that take an alert, depth first; none if this one's conditions fail.

        The first child that matches takes it, and further ones while each says `continue`;
        without such a child the node itself does.
        """
        if not self.matchers.matches(labels):
            return []
        found: list[Route] = []
        for child in self.children:
            taken = child.match(labels)
            found.extend(taken)
            if taken and not child.continues:
                break
        return found or [self]

    def group_labels(self, labels: Labels) -> Labels:
        """Return the labels by which an alert is grouped here."""
        if self.group_by is None:
            return labels
        return tuple(pair for pair in labels if pair[0] in self.group_by)

    def walk(self) -> Iterator[Route]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()
