"""Series that became the same: one, if they never meet at a moment; else an error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from watchkeeper.errors import QueryError
from watchkeeper.promql.label_sets import drop_name
from watchkeeper.promql.values import Vectors

SAME_LABELS = "vector cannot contain metrics with the same labelset"


def merge_same(vector: Vectors, message: str = SAME_LABELS) -> Vectors:
    """Return the vector with every label set once. Raises QueryError where two meet."""
    if len(set(vector.labels)) == len(vector.labels):
        return vector
    places: dict[object, int] = {}
    owners = np.array([places.setdefault(one, len(places)) for one in vector.labels])
    shape = (len(places), vector.values.shape[1])
    values, present = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
    drops = np.zeros(len(places), dtype=np.bool_)
    histograms = None if vector.histograms is None else np.full(shape, None)
    for row, owner in enumerate(owners.tolist()):
        here = vector.present[row]
        if (present[owner] & here).any():
            raise QueryError(message)
        values[owner][here] = vector.values[row][here]
        present[owner] |= here
        if histograms is not None and vector.histograms is not None:
            histograms[owner][here] = vector.histograms[row][here]
        drops[owner] |= vector.drops_name[row]
    first = np.unique(owners, return_index=True)[1]
    labels = [vector.labels[row] for row in first.tolist()]
    return Vectors(labels, values, present, drops, vector.ordered, histograms)


def drop_names(vector: Vectors) -> Vectors:
    """Drop the metric names that functions left to be dropped, and merge what became the same."""
    vector = vector.compact()
    if not vector.drops_name.any():
        return merge_same(vector)
    labels = [
        drop_name(one) if drops else one
        for one, drops in zip(vector.labels, vector.drops_name.tolist(), strict=True)
    ]
    settled = np.zeros(len(labels), dtype=np.bool_)
    return merge_same(replace(vector, labels=labels, drops_name=settled))
