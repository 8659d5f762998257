"""Six-letter pieces of texts, by which most of a part is passed over when a rare word is sought.

A text that contains a word contains each run of letters and digits in it, and so every six
neighbours of such a run. Identifiers, which people look for, have some; short words have none,
and are looked for everywhere. Only ASCII counts, lower-cased.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from watchkeeper.storage.bloom import Keys

LENGTH = 6
MOST_PER_TEXT = 4
"""With more different ones a text than this, a filter would be larger than what it saves."""

_RUN = re.compile(rf"[a-z0-9]{{{LENGTH},}}")
_MOST_PER_WORD = 12
_IS_LETTER = np.zeros(256, np.bool_)
_IS_LETTER[np.frombuffer(b"abcdefghijklmnopqrstuvwxyz0123456789", np.uint8)] = True
# Odd multipliers near 2**64 / the golden ratio (Knuth, TAOCP 3, 6.4) and its square.
_SCATTER, _SPREAD = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
_TABLE_BITS = 22
_LETTERS_AT_ONCE = 1 << 20
_64_BITS = (1 << 64) - 1


def keys_of_texts(batches: Iterable[Sequence[str]]) -> Keys | None:
    """Return the keys of all pieces of lower-cased texts; None if there are too many."""
    # Much faster than to sort them: those that fall together cost little more than a look.
    seen = np.zeros(1 << _TABLE_BITS, np.bool_)
    count = 0
    for texts in batches:
        count += len(texts)
        letters = np.frombuffer("\n".join(texts).encode(), np.uint8)
        for first in range(0, len(letters), _LETTERS_AT_ONCE):
            _mark(seen, letters[first : first + _LETTERS_AT_ONCE + LENGTH - 1])
    found = np.flatnonzero(seen).astype(np.uint64)
    return None if len(found) > MOST_PER_TEXT * count else found * np.uint64(_SPREAD)


def _mark(seen: NDArray[np.bool_], letters: NDArray[np.uint8]) -> None:
    """Note each piece of some letters at its place."""
    count = len(letters) - LENGTH + 1
    if count <= 0:
        return
    whole = _IS_LETTER[letters]
    inside = whole[:count].copy()
    for place in range(1, LENGTH):
        inside &= whole[place : place + count]
    starts = np.flatnonzero(inside)
    pieces = np.zeros(len(starts), np.uint64)
    for place in range(LENGTH):
        pieces |= letters[starts + place].astype(np.uint64) << np.uint64(8 * place)
    seen[(pieces * np.uint64(_SCATTER)) >> np.uint64(64 - _TABLE_BITS)] = True


def keys_of_word(word: str) -> list[int]:
    """Return the keys of which a text that contains a word, ignoring case, has every one."""
    if not word.isascii():
        return []
    pieces = [
        run[place : place + LENGTH]
        for run in _RUN.findall(word.lower())
        for place in range(len(run) - LENGTH + 1)
    ]
    return [_key(piece) for piece in pieces[:_MOST_PER_WORD]]


def _key(piece: str) -> int:
    number = int.from_bytes(piece.encode(), "little")
    place = (number * _SCATTER & _64_BITS) >> (64 - _TABLE_BITS)
    return place * _SPREAD & _64_BITS
