"""Settings: read from the environment, with messages that name the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from resume_optimizer.failures import CODES, Failure
from resume_optimizer.settings import Settings, SettingsError

ENOUGH = {
    "DATABASE_URL": "postgresql://optimizer:hidden@127.0.0.1/optimizer",
    "CACHE_URL": "redis://:hidden@127.0.0.1:6379/0",
    "OBJECTS_ENDPOINT": "http://127.0.0.1:8333",
    "OBJECTS_ACCESS_KEY": "key",
    "OBJECTS_SECRET_KEY": "hidden",
}


def test_little_is_needed() -> None:
    settings = Settings.from_environment(ENOUGH)

    assert settings.llm.provider == "offline"
    assert settings.oauth is None
    assert settings.limits.upload_bytes == 10 * 1024 * 1024


@pytest.mark.parametrize("name", sorted(ENOUGH))
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: not set"):
        Settings.from_environment({key: value for key, value in ENOUGH.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OBJECTS_ENDPOINT", "127.0.0.1:8333"),
        ("LLM_PROVIDER", "oracle"),
        ("LLM_TIMEOUT_SECONDS", "soon"),
        ("SESSION_HOURS", "-1"),
        ("SESSION_HOURS", "inf"),
        ("PORT", "80.5"),
        ("PORT", "65536"),
        ("QUEUED_JOBS_LIMIT", "0"),
        ("CALLS_PER_MINUTE_FREE", "many"),
    ],
)
def test_what_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: "):
        Settings.from_environment({**ENOUGH, name: value})


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from a file\n")

    settings = Settings.from_environment({**ENOUGH, "OBJECTS_SECRET_KEY_FILE": str(file)})

    assert settings.objects.secret_key == "from a file"


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL_FILE: cannot read"):
        Settings.from_environment({**ENOUGH, "DATABASE_URL_FILE": str(tmp_path / "nothing")})


def test_no_secret_is_shown() -> None:
    oauth = {
        "OAUTH_ISSUER": "https://id.example.org",
        "OAUTH_CLIENT_ID": "optimizer",
        "OAUTH_CLIENT_SECRET": "hidden",
    }
    settings = Settings.from_environment(
        {**ENOUGH, **oauth, "LLM_API_KEY": "hidden", "PROBE_TOKEN": "hidden"}
    )

    assert "hidden" not in repr(settings)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_says_what_to_do(code: str) -> None:
    failure = Failure(code)

    assert 400 <= failure.status < 600
    assert failure.message.endswith(".")
    assert code == code.lower()


def test_there_is_no_failure_without_a_code() -> None:
    with pytest.raises(KeyError):
        Failure("made_up")
