"""The protobuf wire format, in the words of its documentation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.errors import DecodeError
from watchkeeper.wire import protobuf
from watchkeeper.wire.protobuf import FIXED32, FIXED64, LENGTH, VARINT, key


def test_the_documentations_own_example():
    assert protobuf.tag(1, VARINT) + protobuf.varint(150) == b"\x08\x96\x01"
    assert protobuf.read_fields(b"\x08\x96\x01") == [(key(1, VARINT), 150)]


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_a_signed_varint_is_read_back(value):
    read, offset = protobuf.read_varint(protobuf.varint(value), 0)
    assert protobuf.signed(read) == value
    assert offset == len(protobuf.varint(value))


@given(st.binary(max_size=400), st.integers(1, 1 << 20))
def test_a_delimited_field_is_read_back(payload, number):
    message = protobuf.delimited(protobuf.tag(number, LENGTH), payload)
    assert protobuf.read_fields(message) == [(key(number, LENGTH), payload)]


def test_fixed_widths_are_handed_over_as_bytes():
    message = protobuf.tag(3, FIXED64) + b"\x01" * 8 + protobuf.tag(4, FIXED32) + b"\x02" * 4
    assert protobuf.read_fields(message) == [
        (key(3, FIXED64), b"\x01" * 8),
        (key(4, FIXED32), b"\x02" * 4),
    ]


@pytest.mark.parametrize(
    "message",
    [b"\x08", b"\x08\xff", b"\x08" + b"\xff" * 11, b"\x0a\x05a", b"\x09\x00", b"\x00\x00", b"\x0b"],
)
def test_broken_framing_is_a_decode_error(message):
    with pytest.raises(DecodeError):
        protobuf.read_fields(message)


def test_packed_numbers_must_be_whole():
    assert protobuf.read_packed_doubles(protobuf.pack_double(1.5) * 2) == [1.5, 1.5]
    with pytest.raises(DecodeError):
        protobuf.read_packed_fixed64(b"123")
