import pytest

from resume_optimizer.llm.tokens import estimate_tokens


def test_words_are_about_a_token_each() -> None:
    assert 900 <= estimate_tokens("Python and " * 500) <= 1_100


@pytest.mark.timeout(10)
def test_a_run_of_one_character_is_counted_in_time() -> None:
    assert estimate_tokens("@" * 100_000) > 0
