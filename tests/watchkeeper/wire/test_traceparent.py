"""W3C Trace Context: what the recommendation says to take and to ignore."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.wire import traceparent

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@given(
    st.integers(1, (1 << 128) - 1).map("{:032x}".format),
    st.integers(1, (1 << 64) - 1).map("{:016x}".format),
    st.booleans(),
)
def test_a_header_is_read_back_as_it_was_written(trace_id, span_id, sampled):
    header = traceparent.format(trace_id, span_id, sampled)
    assert traceparent.parse(header) == (trace_id, span_id, sampled)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0g",
        f"00_{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01.more",
    ],
)
def test_a_malformed_header_is_ignored(header):
    assert traceparent.parse(header) is None


def test_a_later_version_is_read_as_far_as_it_is_known():
    assert traceparent.parse(f"cc-{TRACE}-{SPAN}-03-what-comes") == (TRACE, SPAN, True)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading(header):
    traceparent.parse(header)
    traceparent.parse_state(header)


def test_tracestate_keeps_its_order():
    header = "rojo=00f067aa0ba902b7, congo@x=t61rcWkgMzE"
    entries = traceparent.parse_state(header)
    assert entries == (("rojo", "00f067aa0ba902b7"), ("congo@x", "t61rcWkgMzE"))
    assert traceparent.format_state(entries) == header.replace(" ", "")


@pytest.mark.parametrize(
    "header", ["a", "A=1", "a=1,a=2", "a=\u00e9", ",".join(f"k{n}=1" for n in range(33))]
)
def test_a_malformed_tracestate_is_dropped_whole(header):
    assert traceparent.parse_state(header) == ()
