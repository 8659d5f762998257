"""Texts that a regular expression takes: one way backwards through it, and then others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice, product

MOST = 600
"""Enough for every three-digit status code."""
_DIGITS = "0123456789"
_CLASSES = {"d": _DIGITS, "w": "a0_", "s": " ", "D": "a-", "W": "-.", "S": "a0"}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r"}
_ANY = "0a"


def examples(pattern: str) -> list[str]:
    """Return up to 600 texts that `pattern` may take; none where its syntax is beyond this.

    Alternatives come one by one, each with its first example before any other. Whoever needs
    certainty matches what comes back: anchors and flags are passed over.
    """
    try:
        found = list(islice(_Reader(pattern).alternatives(), MOST))
    except _UnknownSyntaxError:
        return []
    return list(dict.fromkeys(found))


class _UnknownSyntaxError(Exception):
    """The pattern holds what this reader does not know."""


class _Reader:
    """A recursive descent over RE2's syntax."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def alternatives(self) -> Iterator[str]:
        """Read the whole pattern."""
        found = self._either()
        if self._at < len(self._pattern):
            raise _UnknownSyntaxError
        return iter(found)

    def _either(self) -> list[str]:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        firsts = [branch[0] for branch in branches if branch]
        return firsts + [text for branch in branches for text in branch[1:]]

    def _sequence(self) -> list[str]:
        parts: list[list[str]] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            part = self._atom()
            parts.append(self._repeated(part))
        return ["".join(one) for one in islice(product(*parts), MOST)]

    def _atom(self) -> list[str]:
        character = self._next()
        match character:
            case "(":
                return self._group()
            case "[":
                return self._set()
            case ".":
                return list(_ANY)
            case "^" | "$":
                return [""]
            case "\\":
                return list(self._escaped())
            case "*" | "+" | "?" | "{":
                raise _UnknownSyntaxError
        return [character]

    def _group(self) -> list[str]:
        if self._take("?"):
            while (flag := self._next()) not in ":>":
                if flag == ")":
                    return [""]
        inside = self._either()
        if not self._take(")"):
            raise _UnknownSyntaxError
        return inside

    def _set(self) -> list[str]:
        negated = self._take("^")
        members: list[str] = []
        while (character := self._next()) != "]" or not members:
            if character == "\\":
                members.extend(self._escaped())
            elif self._at + 1 < len(self._pattern) and self._pattern[self._at] == "-":
                members.extend(self._range(character))
            else:
                members.append(character)
        if not negated:
            return members
        return [one for one in chain("a0-x", _DIGITS) if one not in members]

    def _range(self, first: str) -> Iterable[str]:
        if self._pattern[self._at + 1] == "]":
            return [first]
        self._at += 1
        return [chr(code) for code in range(ord(first), ord(self._next()) + 1)]

    def _escaped(self) -> str:
        character = self._next()
        if character in "bBAzZ":
            return ""
        if character.isalnum() and character not in _CLASSES and character not in _CONTROL:
            raise _UnknownSyntaxError
        return _CLASSES.get(character) or _CONTROL.get(character, character)

    def _repeated(self, part: list[str]) -> list[str]:
        least, most = 1, 1
        if self._take("*"):
            least, most = 0, 1
        elif self._take("+"):
            least, most = 1, 2
        elif self._take("?"):
            least, most = 0, 1
        elif self._take("{"):
            least, most = self._bounds()
        self._take("?")
        counts = dict.fromkeys((max(1, least), least, most))
        repeated = (product(part, repeat=count) for count in counts)
        return ["".join(one) for one in islice(chain.from_iterable(repeated), MOST)]

    def _bounds(self) -> tuple[int, int]:
        end = self._pattern.find("}", self._at)
        least, comma, most = self._pattern[self._at : end].partition(",")
        self._at = end + 1
        if end < 0 or not least.isdigit():
            raise _UnknownSyntaxError
        if not comma:
            return int(least), int(least)
        return int(least), int(most) if most else int(least) + 1

    def _take(self, character: str) -> bool:
        if self._pattern.startswith(character, self._at):
            self._at += 1
            return True
        return False

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise _UnknownSyntaxError
        self._at += 1
        return self._pattern[self._at - 1]
