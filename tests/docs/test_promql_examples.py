"""What docs/promql.md shows is what happens."""

import doctest
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "promql.md"


def test_the_examples_give_what_is_shown() -> None:
    result = doctest.testfile(str(DOCUMENT), module_relative=False)
    assert result.attempted > 20
    assert result.failed == 0
