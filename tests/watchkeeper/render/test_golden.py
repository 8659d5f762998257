"""Every rendered file of one contract, word for word.

`python tests/watchkeeper/render/test_golden.py` takes over an intended change.
"""

import runpy
from pathlib import Path

import pytest

from watchkeeper.render import documents, render

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
CONTRACT = runpy.run_path(str(HERE / "shop.py"))["CONTRACT"]
RENDERED = {str(document.path): document.text for document in documents(CONTRACT)}


@pytest.mark.parametrize("path", sorted(RENDERED))
def test_a_file_is_rendered_word_for_word(path):
    assert RENDERED[path] == (GOLDEN / path).read_text(encoding="utf-8")


def test_no_golden_file_is_left_over():
    files = {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*") if path.is_file()}
    assert files == set(RENDERED)


if __name__ == "__main__":
    render(CONTRACT, GOLDEN)
