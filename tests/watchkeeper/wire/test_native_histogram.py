"""Native histograms are read as they were written, or refused with what contradicts itself."""

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.model import CounterReset, NativeHistogram
from watchkeeper.wire.message import Message
from watchkeeper.wire.native_histogram import (
    EXPOSITION,
    REMOTE_WRITE,
    InvalidHistogramError,
    coarsened,
    read_native,
    with_most_buckets,
)

from .native_messages import native

counts = st.integers(1, 1 << 50).map(float)
buckets = st.dictionaries(st.integers(-2_000, 2_000), counts, max_size=12)


@st.composite
def histograms(draw):
    positive, negative = draw(buckets), draw(buckets)
    zeros = draw(st.integers(0, 1000))
    total = sum([*positive.values(), *negative.values(), float(zeros)])
    return NativeHistogram(
        schema=draw(st.integers(-4, 8)),
        count=total,
        sum=draw(st.floats(allow_nan=False)),
        zero_threshold=draw(st.sampled_from([0.0, 1e-128, 0.5])),
        zero_count=float(zeros),
        positive=positive,
        negative=negative,
        reset=draw(st.sampled_from(CounterReset)),
    )


def read(content, fields):
    return read_native(Message(content, fields.repeated), fields)


@settings(deadline=None)
@given(histograms(), st.booleans())
def test_a_histogram_of_remote_write_is_read_as_it_was_written(histogram, floats):
    assert read(native(histogram, REMOTE_WRITE, floats=floats), REMOTE_WRITE) == histogram


@settings(deadline=None)
@given(histograms())
def test_a_histogram_of_the_exposition_is_read_but_for_its_reset(histogram):
    wanted = dataclasses.replace(histogram, reset=CounterReset.UNKNOWN)
    assert read(native(histogram, EXPOSITION), EXPOSITION) == wanted


def test_listed_bounds_are_read():
    histogram = NativeHistogram(
        schema=-53, count=6, sum=9, positive={0: 1, 1: 2, 2: 3}, custom_values=(0.5, 2.0)
    )
    assert read(native(histogram, REMOTE_WRITE), REMOTE_WRITE) == histogram


SOUND = NativeHistogram(schema=0, count=3, sum=5, positive={1: 1, 4: 2})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"count": 4}, "counts 4, and its buckets 3"),
        ({"count": 2, "sum": math.nan}, "counts 2, and its buckets 3"),
        ({"schema": 60}, "schema 60"),
        ({"schema": -5}, "schema -5"),
        ({"schema": -53, "custom_values": (2.0, 1.0)}, "do not ascend"),
        ({"schema": -53, "custom_values": (1.0, math.inf)}, r"\+Inf"),
        ({"schema": -53, "custom_values": (1.0,)}, "beyond its custom bounds"),
        ({"schema": -53, "zero_count": 1, "count": 4, "custom_values": (1.0,)}, "others too"),
        ({"custom_values": (1.0,)}, "needs none"),
        ({"positive": {1 << 40: 3}}, "has a bucket"),
    ],
)
def test_what_contradicts_itself_is_refused(changes, reason):
    assert read(native(SOUND, REMOTE_WRITE), REMOTE_WRITE) == SOUND
    with pytest.raises(InvalidHistogramError, match=reason):
        read(native(dataclasses.replace(SOUND, **changes), REMOTE_WRITE), REMOTE_WRITE)


def test_a_negative_count_is_refused():
    broken = dataclasses.replace(SOUND, positive={1: 4, 4: -1})
    with pytest.raises(InvalidHistogramError, match="negative"):
        read(native(broken, REMOTE_WRITE), REMOTE_WRITE)


def test_observations_that_are_no_number_are_in_no_bucket():
    odd = dataclasses.replace(SOUND, count=5, sum=math.nan)
    assert read(native(odd, REMOTE_WRITE), REMOTE_WRITE).count == 5


def test_a_resolution_that_queries_do_not_know_is_lowered():
    fine = NativeHistogram(schema=10, count=6, positive={1: 1, 4: 2, 5: 3}, negative={})
    assert coarsened(fine) == NativeHistogram(schema=8, count=6, positive={1: 3, 2: 3})


def test_too_many_buckets_are_merged_until_they_fit_or_nothing_helps():
    wide = NativeHistogram(schema=2, count=8, positive=dict.fromkeys(range(1, 9), 1.0))
    assert with_most_buckets(wide, 2, 0) == NativeHistogram(
        schema=0, count=8, positive={1: 4.0, 2: 4.0}
    )
    assert with_most_buckets(wide, 0, 3.9).schema == -1
    both = dataclasses.replace(wide, negative={1: 1.0})
    with pytest.raises(InvalidHistogramError):
        with_most_buckets(both, 1, 0)
