"""YAML text into trees with places, by the C parser of PyYAML."""

from __future__ import annotations

from typing import Any

import yaml

from watchkeeper.check.document import DocumentError, Node, Value
from watchkeeper.check.source import Source

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRING = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(source: Source) -> list[Node]:
    """Return the documents of a file. Raises DocumentError: not YAML, a key given twice."""
    try:
        return [_node(one, source) for one in yaml.compose_all(source.text, Loader=_LOADER) if one]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError(error.problem or "is not YAML", mark.index if mark else 0) from None
    except yaml.YAMLError as error:
        raise DocumentError(f"is not YAML: {error}", 0) from None
    except RecursionError:
        raise DocumentError("is nested too deeply, or an anchor contains itself", 0) from None


def _node(node: yaml.Node, source: Source, key: tuple[int, int] | None = None) -> Node:
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.MappingNode):
        return Node(_mapping(node, source), source, start, end, key=key)
    if isinstance(node, yaml.SequenceNode):
        elements = [_node(child, source) for child in node.value]
        return Node(elements, source, start, end, key=key)
    assert isinstance(node, yaml.ScalarNode)
    style = node.style or ""
    return Node(_scalar(node), source, start, end, node.value, style, key)


def _mapping(node: yaml.MappingNode, source: Source) -> dict[str, Node]:
    entries: dict[str, Node] = {}
    merged: dict[str, Node] = {}
    for key_node, value_node in node.value:
        place = (key_node.start_mark.index, key_node.end_mark.index)
        if key_node.tag == _MERGE:
            value = _node(value_node, source)
            merged |= value.value if isinstance(value.value, dict) else {}
            continue
        name = key_node.value if isinstance(key_node.value, str) else str(key_node.value)
        if name in entries:
            raise DocumentError(f"the key {name!r} is given twice", place[0])
        entries[name] = _node(value_node, source, place)
    return {**merged, **entries}


def _scalar(node: yaml.ScalarNode) -> Value:
    text: str = node.value
    kind = node.tag.rpartition(":")[2]
    if node.tag == _STRING:
        return text
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if kind in ("int", "float"):
        try:
            return int(text) if kind == "int" else float(text)
        except ValueError:
            return text
    return text
