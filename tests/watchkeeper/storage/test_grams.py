"""Pieces of texts: a text that contains a word has every piece of the word."""

from __future__ import annotations

from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.storage import grams

TEXTS = st.text(alphabet='abc019 -_é\n"İ', max_size=40)


@given(before=TEXTS, word=st.text(alphabet="abcDEF019 -\\", max_size=20), after=TEXTS, other=TEXTS)
def test_every_piece_of_a_word_is_among_those_of_a_text_with_it(
    before: str, word: str, after: str, other: str
):
    texts = [other, f"{before}{word}{after}".lower()] + [""] * 40
    found = grams.keys_of_texts([texts[:7], texts[7:]])
    assert found is not None
    assert set(grams.keys_of_word(word)) <= set(found.tolist())


def test_short_words_and_words_beyond_ascii_have_no_pieces():
    assert grams.keys_of_word("peer by") == []
    assert grams.keys_of_word("connexionétablie") == []
    assert len(grams.keys_of_word("connection")) == 5


def test_other_identifiers_have_other_pieces():
    found = grams.keys_of_texts(
        [[f"job {number * 2654435761 % 2**32:08x}" for number in range(9000)]]
    )
    assert found is not None
    others = [f"{number * 2246822519 % 2**32:08x}" for number in range(9001, 9501)]
    known = set(found.tolist())
    taken = sum(set(grams.keys_of_word(other)) <= known for other in others)
    assert taken < len(others) * 0.02


def test_texts_of_noise_are_not_worth_a_filter():
    chance = np.random.default_rng(3)
    assert grams.keys_of_texts([[chance.bytes(40).hex() for _ in range(100)]]) is None
    assert grams.keys_of_texts([]) is not None


@given(letters=st.integers(1, 50))
def test_pieces_are_found_wherever_a_text_is_cut(letters: int):
    texts = ["a long sentence about nothing", "identifier4711"]
    with mock.patch.object(grams, "_LETTERS_AT_ONCE", letters):
        cut = grams.keys_of_texts([texts] * 20)
    whole = grams.keys_of_texts([texts] * 20)
    assert cut is not None
    assert whole is not None
    assert cut.tolist() == whole.tolist()
