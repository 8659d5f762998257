from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.instrument.gathering import Gathering

ADDED = st.lists(st.dictionaries(st.sampled_from("abc"), st.lists(st.binary(), max_size=9)))


@given(ADDED, st.integers(1, 5))
def test_requests_are_full_but_the_last_and_hold_every_message_in_its_scope(
    added: list[dict[str, list[bytes]]], most: int
) -> None:
    gathering = Gathering(most)
    requests = [request for messages in added for request in gathering.take(messages)]
    assert all(records == most for _, records in requests)
    assert gathering.records < most
    requests.append(gathering.leave())
    for messages, records in requests:
        assert sum(map(len, messages.values())) == records
    for scope in "abc":
        given_ = [message for messages in added for message in messages.get(scope, ())]
        assert [one for messages, _ in requests for one in messages.get(scope, ())] == given_


def test_what_has_left_is_forgotten() -> None:
    gathering = Gathering(3)
    assert list(gathering.take({"a": [b"1"]})) == []
    assert gathering.leave() == ({"a": [b"1"]}, 1)
    assert gathering.leave() == ({}, 0)
