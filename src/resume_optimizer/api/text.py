"""Text from outside: JSON and some encodings can spell halves of characters, which nothing can
store or hash."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator


def whole(text: str) -> str:
    """Return the text. Raises ValueError when it holds a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half of a character") from None
    return text


Text = Annotated[str, AfterValidator(whole)]
"""A field of a JSON body."""
