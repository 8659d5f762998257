"""Mutants that mean the same as the rule: no series could tell them apart, and it can be shown.

Each reason is an argument over what is declared, not over what was tried.
"""

from __future__ import annotations

from watchkeeper.matching import predicate
from watchkeeper.model import Matcher, MatchOperator
from watchkeeper.promql.signatures import COMPARISONS
from watchkeeper.promql.syntax import (
    Aggregate,
    Binary,
    Call,
    Expression,
    MatrixSelector,
    Number,
    VectorSelector,
)
from watchkeeper.promql.walk import children, walk
from watchkeeper.prove.declared import DOMAINS, Declared
from watchkeeper.prove.label_values import closed_values
from watchkeeper.prove.tree import bare

COMPARE = {
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
SCALES = frozenset({"rate", "increase"})
PROPORTIONAL = frozenset({"sum", "avg"})


def why_equivalent(before: Expression, after: Expression, declared: Declared) -> str:
    """Return why two expressions of one difference mean the same; empty if that is not shown."""
    if not any(isinstance(node, VectorSelector) for node in walk(before)):
        return "nothing is compared: every value fires alike"
    return _differing(before, after, declared, in_quantile=False)


def _differing(
    before: Expression, after: Expression, declared: Declared, *, in_quantile: bool
) -> str:
    """Go down to the place of the difference, remembering what stands above it."""
    reason = _at(before, after, declared, in_quantile)
    if reason:
        return reason
    if type(before) is not type(after):
        return ""
    inside, others = children(before), children(after)
    if len(inside) != len(others) or not _same_head(before, after):
        return ""
    if isinstance(before, Binary) and before.operator == "and":
        reason = _pinned_beside(before, after)
        if reason:
            return reason
    changed = [(one, two) for one, two in zip(inside, others, strict=True) if one != two]
    if len(changed) != 1:
        return ""
    in_quantile = in_quantile or (isinstance(before, Call) and before.name == "histogram_quantile")
    if isinstance(before, Binary | Aggregate) and not _keeps_proportion(before):
        in_quantile = False
    return _differing(*changed[0], declared, in_quantile=in_quantile)


def _at(before: Expression, after: Expression, declared: Declared, in_quantile: bool) -> str:
    match before, after:
        case VectorSelector(), VectorSelector():
            return _same_selection(before, after, declared)
        case Binary(), Binary() if before.operator in COMPARISONS:
            return _same_over_domain(before, after)
        case Call(), Call() if in_quantile:
            if before.arguments == after.arguments and {before.name, after.name} <= SCALES:
                return "a quantile does not change when all buckets grow by one factor"
        case Aggregate(), Aggregate() if in_quantile:
            same = (before.expression, before.grouping, before.without) == (
                after.expression,
                after.grouping,
                after.without,
            )
            if same and {before.operator, after.operator} <= PROPORTIONAL:
                return (
                    "a quantile does not change when all buckets grow by one factor, and every"
                    " histogram has all its buckets"
                )
    return ""


def _pinned_beside(before: Binary, after: Expression) -> str:
    """Whether a matcher was lost whose label the other side of an `and` has as well."""
    if not isinstance(after, Binary) or before.matching != after.matching:
        return ""
    sides = ((before.left, after.left, before.right), (before.right, after.right, before.left))
    for one, other, beside in sides:
        if one == other:
            continue
        lost = _lost_matcher(one, other)
        if lost is None or not _is_matched(before, lost.name):
            return ""
        pins = [lost in node.matchers for node in walk(beside) if isinstance(node, VectorSelector)]
        if pins and all(pins) and not any(isinstance(n, Aggregate) for n in walk(beside)):
            return (
                f"`and` keeps only what its other side has too, and that has"
                f' {lost.name}="{lost.value}" alone'
            )
    return ""


def _lost_matcher(before: Expression, after: Expression) -> Matcher | None:
    """Return the equality that one selector lost, if nothing else differs and its label stays."""
    if any(isinstance(node, Aggregate | Call) for node in walk(before)):
        return None
    pairs = [
        (one, two)
        for one, two in zip(walk(before), walk(after), strict=False)
        if isinstance(one, VectorSelector) and isinstance(two, VectorSelector) and one != two
    ]
    if len(pairs) != 1:
        return None
    one, two = pairs[0]
    lost = [matcher for matcher in one.matchers if matcher not in two.matchers]
    if len(lost) != 1 or len(two.matchers) != len(one.matchers) - 1:
        return None
    return lost[0] if lost[0].operator is MatchOperator.EQUAL else None


def _is_matched(node: Binary, name: str) -> bool:
    return (name in node.matching.labels) == node.matching.on


def _same_head(before: Expression, after: Expression) -> bool:
    """Whether two nodes differ only in what stands below them."""
    match before, after:
        case Binary(), Binary():
            return (before.operator, before.matching) == (after.operator, after.matching)
        case Call(), Call():
            return before.name == after.name
        case Aggregate(), Aggregate():
            return (before.operator, before.grouping) == (after.operator, after.grouping)
        case MatrixSelector(), MatrixSelector():
            return before.range == after.range
    return True


def _keeps_proportion(node: Binary | Aggregate) -> bool:
    return isinstance(node, Aggregate) and node.operator in PROPORTIONAL


def _same_selection(before: VectorSelector, after: VectorSelector, declared: Declared) -> str:
    """Whether matchers on labels with closed lists take the same of all declared values."""
    if (before.name, before.offset, before.at) != (after.name, after.offset, after.at):
        return ""
    metric = declared.metrics.get(before.metric_name)
    if metric is None:
        return ""
    names = {one.name for one in (*before.matchers, *after.matchers)}
    for name in names:
        label = next((one for one in metric.labels if one.name == name), None)
        own = [one for one in before.matchers if one.name == name]
        others = [one for one in after.matchers if one.name == name]
        if own == others:
            continue
        values = closed_values(label) if label else ()
        if not values or [_takes(own, one) for one in values] != [
            _takes(others, one) for one in values
        ]:
            return ""
    return "it selects the same of all declared label values"


def _takes(matchers: list[Matcher], value: str) -> bool:
    return all(predicate(one)(value) for one in matchers)


def _same_over_domain(before: Binary, after: Binary) -> str:
    """Whether a gauge that can only be 0 or 1 compares alike at both."""
    left, right, other = bare(before.left), bare(before.right), bare(after.right)
    if before.left != after.left or not isinstance(right, Number) or not isinstance(other, Number):
        return ""
    if not isinstance(left, VectorSelector) or left.metric_name not in DOMAINS:
        return ""
    domain = DOMAINS[left.metric_name]
    if after.operator not in COMPARE:
        return ""
    one = [COMPARE[before.operator](value, right.value) for value in domain]
    two = [COMPARE[after.operator](value, other.value) for value in domain]
    shown = " or ".join(f"{value:g}" for value in domain)
    return f"{left.metric_name} is {shown}, and nothing else" if one == two else ""
