"""Binary operators where a side is a native histogram, sample by sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from watchkeeper.model import NativeHistogram
from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.native_histogram import (
    IncompatibleBucketsError,
    Reconciled,
    added,
    compacted,
    divided,
    same,
    scaled,
)
from watchkeeper.promql.native_trim import trimmed
from watchkeeper.promql.signatures import TRIMS
from watchkeeper.promql.syntax import Binary
from watchkeeper.promql.values import Vectors

Sample = float | NativeHistogram


def negated(vector: Vectors) -> Vectors:
    """Return the vector times minus one, without its metric names."""
    result = vector.without_name(-vector.values)
    if vector.histograms is None:
        return result
    turned = vector.histograms.copy()
    for place in zip(*np.nonzero(vector.is_histogram), strict=True):
        turned[place] = scaled(turned[place], -1.0)
    return replace(result, histograms=turned)


def patch(
    node: Binary, result: Vectors, left: Vectors, right: Vectors, annotations: Annotations
) -> Vectors:
    """Put right what a float operation left wrong where either side is a histogram."""
    concerned = (left.is_histogram | right.is_histogram) & left.present & right.present
    present, values = result.present & ~concerned, np.array(result.values)
    histograms = np.full(values.shape, None)
    for place in zip(*np.nonzero(concerned), strict=True):
        answer = combine(node, _sample(left, place), _sample(right, place), annotations)
        if answer is None:
            continue
        present[place] = True
        if isinstance(answer, NativeHistogram):
            histograms[place] = answer
        else:
            values[place] = answer
    return replace(result, values=values, present=present, histograms=histograms)


def _sample(vector: Vectors, place: tuple[int, ...]) -> Sample:
    if vector.histograms is not None and vector.histograms[place] is not None:
        histogram: NativeHistogram = vector.histograms[place]
        return histogram
    return float(vector.values[place])


def combine(node: Binary, left: Sample, right: Sample, annotations: Annotations) -> Sample | None:
    """Return an operator's value, or None where there is none, and say why."""
    if isinstance(left, NativeHistogram):
        if isinstance(right, NativeHistogram):
            known, answer = _of_two(node, left, right, annotations)
        else:
            known, answer = _of_one(node.operator, left, right)
        if known:
            return answer
    elif isinstance(right, NativeHistogram) and node.operator == "*":
        return scaled(right, left)
    annotations.inform(
        f'incompatible sample types encountered for binary operator "{node.operator}": '
        f"{_kind(left)} {node.operator} {_kind(right)}",
        node,
    )
    return None


def _of_two(
    node: Binary, left: NativeHistogram, right: NativeHistogram, annotations: Annotations
) -> tuple[bool, Sample | None]:
    """Return whether two histograms know the operator, and its value."""
    if node.operator in ("+", "-"):
        return True, _sum(node, left, right, annotations)
    if node.operator not in ("==", "!="):
        return False, None
    holds = same(left, right) == (node.operator == "==")
    if node.returns_bool:
        return True, float(holds)
    return True, left if holds else None


def _of_one(operator: str, left: NativeHistogram, right: float) -> tuple[bool, Sample | None]:
    """Return whether a histogram and a number know the operator, and its value."""
    if operator == "*":
        return True, scaled(left, right)
    if operator == "/":
        return True, divided(left, right)
    if operator in TRIMS:
        return True, trimmed(left, right, keep_lower=operator == "</")
    return False, None


def _kind(sample: Sample) -> str:
    return "histogram" if isinstance(sample, NativeHistogram) else "float"


def _sum(
    node: Binary, left: NativeHistogram, right: NativeHistogram, annotations: Annotations
) -> NativeHistogram | None:
    try:
        total, reconciled = added(left, right, 1.0 if node.operator == "+" else -1.0)
    except IncompatibleBucketsError:
        annotations.warn(
            f"incompatible bucket layout encountered for binary operator {node.operator}", node
        )
        return None
    warn_of_resets(left, right, node, annotations, subtraction=node.operator == "-")
    if reconciled is Reconciled.CUSTOM_BUCKETS:
        word = "addition" if node.operator == "+" else "subtraction"
        annotations.inform(f"mismatched custom buckets were reconciled during {word}", node)
    return compacted(total)


def warn_of_resets(
    left: NativeHistogram,
    right: NativeHistogram,
    node: Binary,
    annotations: Annotations,
    *,
    subtraction: bool,
) -> None:
    """Warn where one side says its counters began again and the other says they did not."""
    if {left.reset.value, right.reset.value} == {"reset", "not_reset"}:
        word = "subtraction" if subtraction else "addition"
        annotations.warn(f"conflicting counter resets during histogram {word}", node)
