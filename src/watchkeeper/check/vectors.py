"""Checks of how vectors find each other, and of what aggregations leave of them."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.check.check import Check, Examined, Problem, at, own_labels
from watchkeeper.check.finding import Severity
from watchkeeper.check.part_of import added_matchers, bare, is_part_of
from watchkeeper.check.query import Query, Role
from watchkeeper.check.shape import Shape
from watchkeeper.promql import Expression
from watchkeeper.promql.signatures import SET_OPERATORS
from watchkeeper.promql.syntax import Aggregate, Binary, Call, String

_SELECTING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_Pair = tuple[Query, Binary, Shape, Shape]


def _pairs(examined: Examined) -> Iterator[_Pair]:
    """Give every operation between two vectors."""
    for query, node in examined.nodes(Binary):
        left, right = examined.shape(query, node.left), examined.shape(query, node.right)
        if not left.scalar and not right.scalar:
            yield query, node, left, right


def _self_divisions(examined: Examined) -> Iterator[Problem]:
    for query, node, left, right in _pairs(examined):
        matching = node.matching
        if node.operator != "/" or matching.on or not is_part_of(node.left, node.right):
            continue
        narrowed = {matcher.name for matcher in added_matchers(node.left, node.right)}
        if not narrowed or narrowed & set(matching.labels):
            continue
        if all(_is_kept(label, left, right) for label in narrowed):
            labels = ", ".join(sorted(narrowed))
            yield at(
                query,
                node,
                f"both sides keep {labels}, so every series is divided by itself: "
                "the ratio is 1 wherever it exists",
            )


def _is_kept(label: str, left: Shape, right: Shape) -> bool:
    """Whether both sides still tell series apart by a label."""
    kept = (not side.grouped or side.labels.may_have(label) for side in (left, right))
    return all(kept)


def _same_operands(examined: Examined) -> Iterator[Problem]:
    for query, node, _, _ in _pairs(examined):
        if node.operator in SET_OPERATORS - {"unless"} or bare(node.left) != bare(node.right):
            continue
        yield at(query, node, f"both sides of `{node.operator}` are the same")


def _mismatched_labels(examined: Examined) -> Iterator[Problem]:
    for query, node, left, right in _pairs(examined):
        matching = node.matching
        filled = matching.fill_left is not None or matching.fill_right is not None
        if node.operator == "or" or filled:
            continue
        why = _never_match(node, left, right)
        if why:
            yield at(query, node, f"the sides of `{node.operator}` never match: {why}")


def _never_match(node: Binary, left: Shape, right: Shape) -> str:
    matching = node.matching
    candidates = left.labels.certain | right.labels.certain
    compared = candidates & set(matching.labels) if matching.on else candidates
    if not matching.on:
        compared -= set(matching.labels)
    for label in sorted(compared):
        for one, other, side in ((left, right, "right"), (right, left, "left")):
            if label in one.labels.certain and not other.labels.may_have(label):
                return f"the {side} one has no {label}"
        values = left.labels.values.get(label), right.labels.values.get(label)
        if values[0] is not None and values[1] is not None and not values[0] & values[1]:
            return f"their {label} is never the same"
    return ""


def _missing_groups(examined: Examined) -> Iterator[Problem]:
    for query, node, left, right in _pairs(examined):
        matching = node.matching
        if node.operator in SET_OPERATORS or not (matching.on or matching.labels):
            continue
        if _never_match(node, left, right):
            continue
        many = [bool(_apart(node, left)), bool(_apart(node, right))]
        allowed = [matching.group == "left", matching.group == "right"]
        for side, is_many, may in zip(("left", "right"), many, allowed, strict=True):
            if is_many and not may:
                shape = left if side == "left" else right
                labels = ", ".join(sorted(_apart(node, shape)))
                yield at(
                    query,
                    node,
                    f"several series of the {side} side, told apart by {labels}, meet one",
                )
                break


def _apart(node: Binary, side: Shape) -> frozenset[str]:
    """Return the labels by which series of a side differ that the match does not look at."""
    own = own_labels(side)
    labels = frozenset(node.matching.labels)
    return own - labels if node.matching.on else own & labels


def _dropped_labels(examined: Examined) -> Iterator[Problem]:
    for query in examined.queries:
        for node in query.nodes():
            for part, label, use in _needs(node):
                shape = examined.shape(query, part)
                if shape.labels.may_have(label) or not _had(examined, shape, label):
                    continue
                yield at(query, node, f"{use} {label!r}, which the aggregation inside has dropped")
    yield from _dropped_matches(examined)


def _dropped_matches(examined: Examined) -> Iterator[Problem]:
    """Find `on (label)` where one side has dropped the label and the other may have it."""
    for query, node, left, right in _pairs(examined):
        for label in node.matching.labels if node.matching.on else ():
            for side, other in ((left, right), (right, left)):
                missing = side.metrics and not side.labels.may_have(label)
                if missing and label not in other.labels.certain and _had(examined, side, label):
                    yield at(query, node, f"matches on {label!r}, which one side has dropped")


def _needs(node: Expression) -> Iterator[tuple[Expression, str, str]]:
    """Give what a node asks of the labels of its parts."""
    match node:
        case Aggregate(without=False, grouping=grouping, expression=inner):
            yield from ((inner, label, "groups by") for label in grouping)
        case Binary(matching=matching, left=left, right=right):
            one = right if matching.group == "left" else left
            if matching.group:
                yield from ((one, label, "takes over") for label in matching.include)
        case Call(name="label_replace", arguments=(inner, _, _, String(value=label), *_)):
            if label:
                yield inner, label, "reads"
        case Call(name="label_join", arguments=(inner, _, _, *labels)):
            yield from ((inner, one.value, "reads") for one in labels if isinstance(one, String))


def _had(examined: Examined, shape: Shape, label: str) -> bool:
    targets = examined.known.target_labels
    return label in targets or any(label in metric.labels for metric in shape.metrics)


def _fragile_selections(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Aggregate, Role.ALERT, Role.RECORDING):
        if node.operator in _SELECTING and not _is_counted(examined, query, node):
            yield at(query, node, f"{node.operator} gives other series at every evaluation")


def _is_counted(examined: Examined, query: Query, node: Aggregate) -> bool:
    """Whether it does not matter which are chosen: they are put together again, or only lend a
    label to the many of a match."""
    for above in examined.ancestors(query, node):
        if isinstance(above, Binary) and above.matching.group:
            return True
        if isinstance(above, Aggregate) and above.operator not in _SELECTING:
            return not above.grouping and not above.without
    return False


def _zeros_beside_labels(examined: Examined) -> Iterator[Problem]:
    for query, node in examined.nodes(Binary):
        right = bare(node.right)
        if node.operator != "or" or not (isinstance(right, Call) and right.name == "vector"):
            continue
        left = examined.shape(query, node.left).labels
        added = left.certain & (left.possible or left.certain)
        if not added or node.matching.on or _is_summed(examined, query, node):
            continue
        labels = ", ".join(sorted(added)[:3])
        yield at(query, node, f"beside the series by {labels}, vector() adds one without labels")


def _is_summed(examined: Examined, query: Query, node: Binary) -> bool:
    return any(isinstance(one, Aggregate) for one in examined.ancestors(query, node))


def _unreachable_alternatives(examined: Examined) -> Iterator[Problem]:
    for query, node, left, right in _pairs(examined):
        if node.operator != "or" or not left.present:
            continue
        if right.labels.possible == frozenset():
            yield at(query, node.right, "is never reached: what stands before `or` always exists")


CHECKS = (
    Check(
        id="self-division",
        severity=Severity.ERROR,
        reason="Series find their partner by all labels: the part meets itself, not the whole.",
        repair="Aggregate both sides: sum(rate(part)) / sum(rate(whole)).",
        find=_self_divisions,
    ),
    Check(
        id="same-operands",
        severity=Severity.ERROR,
        reason="Something compared with itself, or divided by itself, says nothing.",
        repair="Put what is meant on one of the sides.",
        find=_same_operands,
    ),
    Check(
        id="mismatched-labels",
        severity=Severity.ERROR,
        reason="Two series match only when all labels that are compared are equal.",
        repair="Aggregate both sides by the same labels, or say on(...) or ignoring(...).",
        find=_mismatched_labels,
    ),
    Check(
        id="missing-group",
        severity=Severity.ERROR,
        reason="Many series against one is an error unless the expression says which side is many.",
        repair="Aggregate that side by the matching labels, or add group_left() or group_right().",
        find=_missing_groups,
    ),
    Check(
        id="dropped-label",
        severity=Severity.ERROR,
        reason="An aggregation keeps the labels that it groups by, and no other.",
        repair="Keep the label in the inner aggregation.",
        find=_dropped_labels,
    ),
    Check(
        id="fragile-selection",
        severity=Severity.WARNING,
        reason="The chosen series change from one evaluation to the next: `for` never passes and "
        "recorded series have gaps.",
        repair="Compare with a threshold in rules; choose the largest on the dashboard.",
        find=_fragile_selections,
    ),
    Check(
        id="zero-beside-labels",
        severity=Severity.WARNING,
        reason="vector(0) has no labels: it stands beside series, not in place of missing ones.",
        repair="Aggregate without labels before `or vector(0)`, or leave it out.",
        find=_zeros_beside_labels,
    ),
    Check(
        id="unreachable-alternative",
        severity=Severity.WARNING,
        reason="`or` gives its right side only where the left has no such series.",
        repair="Put what always exists last.",
        find=_unreachable_alternatives,
    ),
)
