"""alertmanager.yml as subjects: receivers, the routing tree, inhibitions."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.check.document import Node
from watchkeeper.check.subject import (
    Inhibition,
    Receiver,
    Route,
    Routing,
    Subjects,
    Unreadable,
    Way,
)
from watchkeeper.configuration import Duration
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.notify import parse_matchers

_SILENT_ON_RECOVERY = frozenset({"slack", "email", "wechat"})
"""The ways whose `send_resolved` is false unless it is given (Alertmanager, config/notifiers)."""


def is_alertmanager(document: Node) -> bool:
    """Whether a YAML document configures Alertmanager."""
    return document.get("route") is not None and document.get("receivers") is not None


def read_alertmanager(document: Node) -> Subjects:
    """Return the routing that a document describes."""
    return _Reader(document).read()


class _Reader:
    def __init__(self, document: Node) -> None:
        self._document = document
        self._unreadable: list[Unreadable] = []

    def read(self) -> Subjects:
        document = self._document
        root = document.get("route")
        routing = Routing(
            receivers=tuple(self._receiver(one) for one in document.elements("receivers")),
            route=self._route(root, "") if root is not None else None,
            inhibitions=tuple(self._inhibition(one) for one in document.elements("inhibit_rules")),
            intervals=tuple(
                one.string("name")
                for key in ("time_intervals", "mute_time_intervals")
                for one in document.elements(key)
            ),
            place=root.name_place if root is not None else document.name_place,
            node=document,
        )
        return Subjects(routings=(routing,), unreadable=tuple(self._unreadable))

    def _receiver(self, node: Node) -> Receiver:
        name = node.get("name")
        place = name.text.place() if name is not None else node.name_place
        return Receiver(name=node.scalar("name"), ways=tuple(_ways(node)), place=place)

    def _route(self, node: Node, inherited: str) -> Route:
        receiver = node.scalar("receiver") or inherited
        group_by = node.get("group_by")
        names = tuple(one.raw for one in node.elements("group_by"))
        return Route(
            receiver=receiver,
            matchers=self._matchers(node, ""),
            place=node.source.place(node.start, node.start + 1)
            if node.key is None
            else node.name_place,
            group_by=names if group_by is not None else None,
            group_wait_seconds=self._seconds(node.get("group_wait")),
            group_interval_seconds=self._seconds(node.get("group_interval")),
            repeat_interval_seconds=self._seconds(node.get("repeat_interval")),
            continues=node.scalar("continue").lower() == "true",
            children=tuple(self._route(child, receiver) for child in node.elements("routes")),
            intervals=tuple(
                one.raw
                for key in ("mute_time_intervals", "active_time_intervals")
                for one in node.elements(key)
            ),
        )

    def _inhibition(self, node: Node) -> Inhibition:
        return Inhibition(
            source=self._matchers(node, "source_"),
            target=self._matchers(node, "target_"),
            equal=tuple(one.raw for one in node.elements("equal")),
            place=node.name_place,
        )

    def _matchers(self, node: Node, prefix: str) -> tuple[Matcher, ...]:
        found: list[Matcher] = []
        for one in node.elements(f"{prefix}matchers"):
            try:
                found += parse_matchers(one.raw)
            except ValueError as error:
                self._unreadable.append(Unreadable(one.text.place(), str(error)))
        for key, operator in (("match", MatchOperator.EQUAL), ("match_re", MatchOperator.REGEX)):
            entries = node.get(prefix + key)
            if entries is not None:
                found += [Matcher(name, operator, one.raw) for name, one in entries.items()]
        return tuple(found)

    def _seconds(self, node: Node | None) -> float | None:
        if node is None:
            return None
        try:
            return float(Duration.parse(node.raw))
        except ValueError as error:
            self._unreadable.append(Unreadable(node.text.place(), str(error)))
            return None


def _ways(receiver: Node) -> Iterator[Way]:
    for key, value in receiver.items():
        if not key.endswith("_configs"):
            continue
        kind = key.removesuffix("_configs")
        for node in value.elements():
            told = node.scalar("send_resolved").lower()
            default = kind not in _SILENT_ON_RECOVERY
            yield Way(
                kind=kind,
                sends_resolved=told == "true" if told else default,
                place=node.source.place(node.start, node.start + 1),
                node=node,
            )
