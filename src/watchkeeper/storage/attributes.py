"""How a field compares with attributes, by themselves and as the text that stores keep.

A value compares as text: a string by itself, everything else by its JSON (`true`, `12`,
`[1,2]`).
"""

from __future__ import annotations

import orjson

from watchkeeper.model import AttributeValue
from watchkeeper.wire.attribute_text import clean, storable


def as_text(value: AttributeValue) -> str:
    """Return a value as the text that fields compare with."""
    if isinstance(value, str):
        return value
    return orjson.dumps(storable(value)).decode()


def needles(name: str, value: str) -> tuple[str, ...]:
    """Return the texts of which encoded attributes hold one if `name` is `value` as text.

    Inside a JSON string every quotation mark is escaped, so that a needle, which begins and
    ends outside of strings, is found nowhere else.
    """
    key = orjson.dumps(clean(name)).decode()
    as_string = f",{key}:{orjson.dumps(clean(value)).decode()},"
    return (as_string, f",{key}:{value},") if _is_literal(value) else (as_string,)


def _is_literal(text: str) -> bool:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return not isinstance(value, str | dict) and orjson.dumps(value).decode() == text
