"""Files in which anything may stand anywhere are told about, and crash nothing."""

import json
import random
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
FILES = sorted([*(HERE / "good").iterdir(), *(HERE / "faulty").iterdir()])
DOCUMENTS = {
    path.name: yaml.safe_load(path.read_text("utf-8")) for path in FILES if path.suffix != ".py"
}
SPOILT = (
    *(None, True, 0, -1, 3.5, "", "x", "{{", "$x", "\u2028é", "5m", "up == 0"),
    *([], {}, [[]], [1, None, "a"], {"a": None}, {"expr": 1}),
)


def paths(document, path=()):
    yield path
    entries = document.items() if isinstance(document, dict) else ()
    if isinstance(document, list):
        entries = enumerate(document)
    for key, value in entries:
        yield from paths(value, (*path, key))


def spoiled(document, path, value):
    """The document with something else at a path."""
    if not path:
        return value
    first, *rest = path
    if isinstance(document, dict):
        return {
            key: spoiled(one, rest, value) if key == first else one for key, one in document.items()
        }
    return [spoiled(one, rest, value) if key == first else one for key, one in enumerate(document)]


@pytest.mark.parametrize("seed", range(40))
def test_a_spoiled_file_crashes_nothing(seed, checked):
    choice = random.Random(seed)
    files = {}
    for name in choice.sample(sorted(DOCUMENTS), 2):
        document = DOCUMENTS[name]
        for _ in range(choice.randint(1, 4)):
            path = choice.choice(list(paths(document)))
            document = spoiled(document, path, choice.choice(SPOILT))
        write = json.dumps if name.endswith(".json") else yaml.safe_dump
        files[name] = write(document)
    assert all(one.message and one.place.line >= 1 for one in checked(files))


@pytest.mark.parametrize(
    "code",
    [
        'Histogram("a_seconds", "A", buckets=["x", 1, float("inf")])',
        'Counter("a", "A", labelnames=[1, name])',
        "Counter(name, help, *labels, **more)",
        'Gauge("", "")',
        "Gauge()",
        "this is no Python",
    ],
)
def test_odd_declarations_in_code_crash_nothing(code, checked):
    text = f"from prometheus_client import Counter, Gauge, Histogram\n{code}\n"
    assert isinstance(checked({"metrics.py": text}), list)
