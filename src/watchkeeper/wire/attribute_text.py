"""Attributes as the JSON text that stores keep.

    ,"http.route":"/items","http.response.status_code":200,

Commas in place of braces, so that a pair is found as `,"key":value,` wherever it stands. What
JSON cannot hold (NaN, infinities, integers beyond 64 bits) becomes a string.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from watchkeeper.model import Attributes, AttributeValue

_INTEGERS = range(-(1 << 63), 1 << 63)
_LINE_END = orjson.Fragment(b"\n")
# Also inside of strings, where it only costs time.
_NULL_OR_NESTED = re.compile(rb"[:,\[](?:null|\{)")


def encode(attributes: Attributes) -> str:
    """Return attributes as compact JSON with commas in place of its braces; '' or `,,` for none."""
    if not attributes:
        return ""
    try:
        text = orjson.dumps(attributes if isinstance(attributes, dict) else dict(attributes))
        plain = _NULL_OR_NESTED.search(text) is None
    except (TypeError, ValueError):
        plain = False
    if not plain:
        text = orjson.dumps(_storable_pairs(attributes))
    return f",{text[1:-1].decode()},"


def encode_column(column: Iterable[Attributes]) -> list[str]:
    """Return what `encode` makes of each; an object that comes again is encoded once."""
    column = list(column)
    distinct = {id(one): one for one in column}
    if 2 * len(distinct) > len(column):
        return _encode_together(column)
    texts = {identity: encode(one) for identity, one in distinct.items()}
    return [texts[id(one)] for one in column]


def _encode_together(column: list[Attributes]) -> list[str]:
    """Return what `encode` makes of each, by one call for all of them where they are plain.

    JSON escapes line ends, so that these are between texts only. None is `,,` here.
    """
    parted: list[object] = [_LINE_END] * (2 * len(column) - 1)
    parted[::2] = column
    try:
        joined = orjson.dumps(parted)[2:-2].decode()
    except (TypeError, ValueError):
        return [encode(one) for one in column]
    text = f",{joined},".replace("},\n,{", ",\n,")
    if _stands_alone(text, "{") or _stands_alone(text, "null"):
        return [encode(one) for one in column]
    return text.split("\n")


def _stands_alone(text: str, value: str) -> bool:
    """Tell whether a value begins anywhere after a colon, a comma or a bracket."""
    place = text.find(value)
    while place >= 0:
        if text[place - 1] in ":,[":
            return True
        place = text.find(value, place + 1)
    return False


def decode(text: str) -> dict[str, AttributeValue]:
    """Return attributes from what `encode` made of them; arrays are tuples."""
    if not text:
        return {}
    found: dict[str, AttributeValue] = orjson.loads(f"{{{text[1:-1]}}}")
    for name, value in found.items():
        if isinstance(value, list):
            found[name] = tuple(value)
    return found


def clean(text: str) -> str:
    """Return text without lone surrogates, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def clean_column(column: list[str]) -> list[str]:
    """Return what `clean` makes of each."""
    try:
        "".join(column).encode()
    except UnicodeEncodeError:
        return [clean(text) for text in column]
    return column


def storable(value: object) -> object:
    """Return a value as one that JSON and UTF-8 can hold."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value not in _INTEGERS:
        return str(value)
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return orjson.dumps(_storable_pairs(value)).decode()
    return clean(str(value))


def _storable_pairs(pairs: Mapping[Any, object]) -> dict[str, object]:
    return {clean(str(name)): storable(value) for name, value in pairs.items()}
