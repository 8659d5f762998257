import pytest

from watchkeeper.errors import DecodeError, OverloadError, StoreFullError
from watchkeeper.server.intake import not_taken


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after_seconds"),
    [
        (StoreFullError("no room on disk"), 503, "store_full", 5.0),
        (OverloadError("too much at once", retry_after_seconds=7.0), 429, "overload", 7.0),
        (OverloadError("larger than ever", retry_after_seconds=0.0), 413, "too_large", None),
        (DecodeError("half a message"), 400, "undecodable", None),
    ],
)
def test_a_sender_learns_whether_and_when_to_send_again(
    error: Exception, status: int, code: str, retry_after_seconds: float | None
) -> None:
    failure = not_taken(error)
    assert (failure.status, failure.code) == (status, code)
    assert (failure.message, failure.retry_after_seconds) == (str(error), retry_after_seconds)


def test_a_protocol_has_a_status_of_its_own_for_later() -> None:
    assert not_taken(OverloadError("later"), overload_status=503).status == 503
    never = OverloadError("never", retry_after_seconds=0.0)
    assert not_taken(never, overload_status=503).status == 413
