"""What the command line says about retention, and what it must not."""

from __future__ import annotations

import pytest

from watchkeeper.errors import ConfigError
from watchkeeper.server.retention import limits_of
from watchkeeper.storage import StoreLimits


def test_each_signal_has_an_age_and_may_have_a_size():
    limits = limits_of(["logs=3d,20GB", "metrics=30d"])
    assert limits.log_retention_seconds == 3 * 86_400
    assert limits.log_maximum_bytes == 20 << 30
    assert limits.metric_retention_seconds == 30 * 86_400
    assert limits.metric_maximum_bytes == 0
    assert limits.span_retention_seconds == StoreLimits().span_retention_seconds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("traces=7d", "'traces' is no signal: write metrics, logs or spans"),
        ("logs", "is not a duration"),
        ("logs=7", "is not a duration"),
        ("logs=0", "more than nothing"),
        ("logs=7d,much", "logs=7d,20GB"),
    ],
)
def test_what_cannot_be_understood_is_named_with_an_example(text: str, reason: str):
    with pytest.raises(ConfigError, match=reason) as caught:
        limits_of([text])
    assert str(caught.value).startswith(f"--retention {text}: ")
