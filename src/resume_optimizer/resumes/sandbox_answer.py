"""What the sandbox says to the process that started it."""

from __future__ import annotations

import msgspec

MOST_CHARACTERS = 100_000
"""Some fifty pages. What is longer is not a resume."""


class SandboxAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """What the sandbox writes as JSON: the text, or the code of a Failure."""

    text: str = ""
    failure: str = ""


class UnreadableError(Exception):
    """The file cannot be read; `code` is that of the Failure."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
