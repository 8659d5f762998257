import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.check.document import DocumentError, Node
from watchkeeper.check.json_document import read_json
from watchkeeper.check.source import Source
from watchkeeper.check.yaml_document import read_yaml

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def plain(node: Node) -> object:
    if isinstance(node.value, dict):
        return {name: plain(child) for name, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


@given(JSON)
def test_json_with_places_is_read_as_json_is(value):
    text = json.dumps(value, indent=1)
    assert plain(read_json(Source("a.json", text))) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "offset", "reason"),
    [
        ('{"a": 1,}', 7, "comma"),
        ('{"a": 1, "a": 2}', 9, "twice"),
        ('{"a" 1}', 5, '":"'),
        ("[1, 2", 5, '"]"'),
        ('{"a": "b}', 6, "not closed"),
        ("1 2", 2, "after the end"),
        ("", 0, "missing"),
        ("[" * 100_000, 0, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_with_its_offset(text, offset, reason):
    with pytest.raises(DocumentError) as error:
        read_json(Source("a.json", text))
    assert error.value.offset == offset
    assert reason in error.value.reason


def test_yaml_is_read_with_anchors_merges_and_several_documents():
    text = "base: &base {a: 1}\nmore:\n  <<: *base\n  b: yes\n---\nnull\n---\n- 1.5\n"
    first, second, third = read_yaml(Source("a.yml", text))
    assert plain(first) == {"base": {"a": 1}, "more": {"a": 1, "b": True}}
    assert (plain(second), plain(third)) == (None, [1.5])


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: [1\n", "a: b: c\n", "\tx: 1\n"])
def test_what_is_not_yaml_is_refused(text):
    with pytest.raises(DocumentError):
        read_yaml(Source("a.yml", text))
