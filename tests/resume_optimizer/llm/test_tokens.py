from resume_optimizer.llm.tokens import estimate_tokens


def test_words_are_about_a_token_each() -> None:
    assert 900 <= estimate_tokens("Python and " * 500) <= 1_100


def test_a_run_of_one_character_is_counted_in_time() -> None:
    """Joined pair by pair, it would outlast the limit that every test has."""
    assert estimate_tokens("@" * 100_000) > 0
