"""The fuzz targets hold on their examples and near them; `make fuzz` looks much further."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import run
from target import Target

from watchkeeper.errors import DecodeError, QuerySyntaxError

TARGETS = run.targets()


@pytest.mark.parametrize("name", TARGETS)
def test_every_example_is_read_or_refused_in_words(name: str) -> None:
    for example in TARGETS[name].examples:
        TARGETS[name].hold(example)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_so_is_what_lies_near_an_example(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    example = data.draw(st.sampled_from(target.examples))
    begin = data.draw(st.integers(0, len(example)))
    end = data.draw(st.integers(begin, len(example)))
    words = [word.encode() for word in target.words] or [b""]
    put = data.draw(st.binary(max_size=8) | st.sampled_from(words))
    target.hold(example[:begin] + put + example[end:])


def test_a_target_holds_only_what_is_refused_in_words() -> None:
    def read(data: bytes) -> None:
        raise {b"d": DecodeError("no"), b"s": QuerySyntaxError("no"), b"v": ValueError("no")}[data]

    target = Target("all", read, (b"d",))
    target.hold(b"d")
    target.hold(b"s")
    with pytest.raises(ValueError, match="no"):
        target.hold(b"v")
