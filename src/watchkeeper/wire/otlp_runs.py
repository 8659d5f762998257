"""What spans of one name begin their attributes with: remembered whole, and compared as bytes.

An instrumentation writes its attributes in one order, and those of one operation begin alike
(method, route, scheme ...). Such a beginning is learned from two spans that share it.
"""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.model import AttributeValue

MOST_NAMES = 1_024
MOST_RUNS = 4
"""Of one name: its spans differ by status, say."""
_MOST_MISSES = 64
_SHORTEST = 2
_PLAIN_LENGTH = 128

Run = tuple[bytes, dict[str, AttributeValue]]
ReadPair = Callable[[bytes], tuple[str, AttributeValue]]


class AttributeRuns:
    """The beginnings by name. `known` is for reading; who finds none that fits calls `learn`.

    Threads may share it: at worst one learns what another has learned.
    """

    def __init__(self, attribute_key: int, read_pair: ReadPair) -> None:
        self.known: dict[bytes, list[Run]] = {}
        self._key = attribute_key
        self._read_pair = read_pair
        self._last: dict[bytes, list[bytes]] = {}
        self._misses: dict[bytes, int] = {}

    def learn(self, name: bytes, message: bytes, offset: int) -> None:
        """Look at attributes that stand at `offset`, and remember what they begin with once
        they begin like the ones before. Raises IndexError if the message ends early."""
        misses = self._misses.get(name, 0)
        if misses >= _MOST_MISSES:
            return
        if len(self._last) >= MOST_NAMES:
            self._last.clear()
            self._misses.clear()
            self.known = {}
        self._misses[name] = misses + 1
        fields = self._split(message, offset)
        before = self._last.get(name, [])
        self._last[name] = fields
        shared = 0
        while shared < min(len(fields), len(before)) and fields[shared] == before[shared]:
            shared += 1
        if shared >= _SHORTEST:
            run = b"".join(fields[:shared])
            pairs = dict(self._read_pair(field[2:]) for field in fields[:shared])
            self.known[name] = [(run, pairs), *self.known.get(name, [])[: MOST_RUNS - 1]]

    def _split(self, message: bytes, offset: int) -> list[bytes]:
        """Return the whole fields of the attributes at `offset`, as far as they are short."""
        fields = []
        end = len(message)
        while offset + 1 < end and message[offset] == self._key:
            size = message[offset + 1]
            if size >= _PLAIN_LENGTH or offset + 2 + size > end:
                break
            fields.append(message[offset : offset + 2 + size])
            offset += 2 + size
        return fields
