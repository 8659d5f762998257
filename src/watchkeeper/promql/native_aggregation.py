"""Sums and means over series of which some are native histograms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from watchkeeper.model import NativeHistogram
from watchkeeper.promql.aggregation import Groups
from watchkeeper.promql.annotations import Annotations
from watchkeeper.promql.native_histogram import (
    IncompatibleBucketsError,
    Reconciled,
    compacted,
    conflicting,
    total,
)
from watchkeeper.promql.syntax import Aggregate
from watchkeeper.promql.values import Vectors


def sum_histograms(
    node: Aggregate, vector: Vectors, groups: Groups, floats: Vectors, annotations: Annotations
) -> Vectors:
    """Return the sums or means of floats with those of histograms put beside them.

    A group that holds both at one moment has no result there, and a warning says so.
    """
    present = np.array(floats.present)
    found = np.full(present.shape, None)
    kinds = vector.is_histogram & vector.present
    for group in range(len(groups)):
        members = groups.members(group)
        for column in np.flatnonzero(kinds[members].any(axis=0)).tolist():
            if present[group, column]:
                present[group, column] = False
                annotations.warn(
                    "encountered a mix of histograms and floats for aggregation", node.expression
                )
                continue
            rows = members[kinds[members, column]]
            some = [_histogram(vector, row, column) for row in rows.tolist()]
            total = _total(node, some, annotations)
            if total is not None:
                found[group, column], present[group, column] = total, True
    return replace(floats, present=present, histograms=found)


def _histogram(vector: Vectors, row: int, column: int) -> NativeHistogram:
    if vector.histograms is None:
        raise AssertionError("a vector without histograms has none to sum")
    histogram: NativeHistogram = vector.histograms[row, column]
    return histogram


def _total(
    node: Aggregate, some: list[NativeHistogram], annotations: Annotations
) -> NativeHistogram | None:
    try:
        found, reconciled = total(some, len(some) if node.operator == "avg" else 1)
    except IncompatibleBucketsError:
        annotations.warn(
            "vector contains a mix of histograms with exponential and custom buckets schemas "
            "for metric name",
            node.expression,
        )
        return None
    if reconciled is Reconciled.CUSTOM_BUCKETS:
        annotations.inform(
            "mismatched custom buckets were reconciled during aggregation", node.expression
        )
    if conflicting(some):
        annotations.warn("conflicting counter resets during histogram aggregation", node.expression)
    return compacted(found)
