import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.check.json_document import read_json
from watchkeeper.check.source import Source, Text
from watchkeeper.check.yaml_document import read_yaml

WORDS = st.text(alphabet="ab é\"'\\{}=[]:#\n\t", max_size=40)
STYLES = st.sampled_from(["|", ">", '"', "'", ""])


def written(text: str, value: str, position: int) -> bool:
    """Whether a character of a value stands, as it is or escaped, at an offset of the text."""
    here = text[position : position + 1]
    return here == value or here in ("\\", "'", "\n") or (value in " \n" and here in " \n")


@given(WORDS, STYLES)
def test_every_character_of_a_yaml_scalar_is_found_where_it_is_written(value, style):
    text = yaml.dump({"expr": value}, default_style=style or None, allow_unicode=True, width=20)
    node = read_yaml(Source("a.yml", text))[0].get("expr")
    assert node.raw == value
    for index, character in enumerate(value):
        place = node.text.place(index, index + 1)
        offset = Source("", text).start_of(place.line) + place.column - 1
        assert written(text, character, offset), (text, index, offset)


@given(WORDS)
def test_every_character_of_a_json_string_is_found_where_it_is_written(value):
    text = json.dumps({"expr": value}, indent=2)
    node = read_json(Source("a.json", text)).get("expr")
    assert node.raw == value
    for index, character in enumerate(value):
        place = node.text.place(index, index + 1)
        offset = Source("", text).start_of(place.line) + place.column - 1
        assert written(text, character, offset)


def test_a_place_inside_a_block_scalar_is_a_line_and_column_of_the_file():
    text = "expr: |\n  sum(\n    rate(x[5m])\n  )\n"
    node = read_yaml(Source("a.yml", text))[0].get("expr")
    start = node.raw.index("rate")
    place = node.text.place(start, start + 4)
    assert (place.line, place.column, place.end_line, place.end_column) == (3, 5, 3, 9)


def test_an_edit_of_a_value_replaces_what_is_written_and_nothing_else():
    text = "expr: >-\n  rate(x[30s])\n  > 1\n"
    node = read_yaml(Source("a.yml", text))[0].get("expr")
    start = node.raw.index("30s")
    (edit,) = node.text.edit(start, start + 3, "1m")
    assert text[: edit.start] + edit.replacement + text[edit.end :] == text.replace("30s", "1m")


def test_what_is_escaped_in_the_file_is_not_edited():
    text = '{"expr": "x{a=\\"b\\"}"}'
    node = read_json(Source("a.json", text)).get("expr")
    assert node.text.edit(3, 6, "c") == ()


def test_code_is_not_edited():
    text = Text("rate(x[30s])", Source("telemetry.py", '"rate(x[30s])"'), 0, 14, style='"')
    assert text.edit(7, 10, "1m") == ()
