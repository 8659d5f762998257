import logging

from resume_optimizer.quiet import CHATTY, quiet_libraries


def test_urls_that_are_asked_for_are_not_written_down(monkeypatch) -> None:
    for name in CHATTY:
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)

    quiet_libraries()

    assert not logging.getLogger("httpx2").isEnabledFor(logging.INFO)
    assert logging.getLogger("httpx2").isEnabledFor(logging.WARNING)
