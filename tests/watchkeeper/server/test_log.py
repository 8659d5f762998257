import logging
import sys

import orjson

from watchkeeper.server.log import JsonLines


def record(message: str, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("watchkeeper", logging.WARNING, "f.py", 1, message, None, None)
    made.created = 1_700_000_000.5
    made.__dict__.update(more)
    return made


def test_a_record_is_one_line_with_its_fields() -> None:
    line = JsonLines().format(record("two\nlines", file="a.json"))
    assert "\n" not in line
    assert orjson.loads(line) == {
        "timestamp": "2023-11-14T22:13:20.500Z",
        "level": "WARNING",
        "logger": "watchkeeper",
        "message": "two\nlines",
        "file": "a.json",
    }


def test_an_exception_is_in_the_line() -> None:
    try:
        raise KeyError("gone")
    except KeyError:
        line = JsonLines().format(record("it failed", exc_info=sys.exc_info()))
    assert "KeyError" in orjson.loads(line)["exception"]


def test_what_is_no_json_becomes_its_text() -> None:
    assert orjson.loads(JsonLines().format(record("odd", place={1, 2})))["place"] == "{1, 2}"
