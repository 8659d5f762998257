"""Configuration files are read strictly, and say where they are wrong."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.configuration import (
    Duration,
    Secret,
    SecretUrl,
    convert,
    dump_yaml,
    parse_yaml,
    read_yaml,
)
from watchkeeper.errors import ConfigError


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    every: Duration = Duration(30)
    token: Secret | None = None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("30s", 30), ("1h30m", 5400), ("100ms", 0.1), ("2w", 1209600), ("1d12h", 129600)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert Duration.parse(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "5x", "-5s", "1.5h", "5s1m", "s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        Duration.parse(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_a_duration_reads_back_what_it_writes(milliseconds: int) -> None:
    duration = Duration(milliseconds / 1000)
    assert Duration.parse(str(duration)).nanoseconds == milliseconds * 10**6


def test_a_secret_is_never_shown() -> None:
    settings = convert({"token": "hidden"}, Settings, source="f.yml")
    assert settings.token is not None
    assert settings.token.reveal() == "hidden"
    assert "hidden" not in f"{settings} {settings!r} {settings.token} {dump_yaml(settings)}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://u:hidden@host:8080/hidden?hidden=1", "https://host:8080/<secret>"),
        ("http://[::1]:9/hidden", "http://[::1]:9/<secret>"),
        ("hidden://hidden", "<secret>"),
        ("hidden", "<secret>"),
        ("http://[hidden", "<secret>"),
        ("", "<secret>"),
    ],
)
def test_of_a_secret_address_only_the_origin_is_shown(text: str, shown: str) -> None:
    secret = SecretUrl(text)
    assert (str(secret), repr(secret), secret.reveal()) == (shown, shown, text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("every: 1m\nevery: 2m", "f.yml at line 2, column 1: key 'every' is given twice"),
        ("evry: 1m", "f.yml: unknown field `evry`"),
        ("every: 5", "f.yml at $.every: expected text, got int"),
        ("every: soon", "f.yml at $.every: 'soon' is not a duration"),
        ("every: [", "f.yml at line 1"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        convert(parse_yaml(text, source="f.yml"), Settings, source="f.yml")
    assert str(raised.value).startswith(complaint)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yml").write_bytes(b"a: \xff")
    for name, complaint in (("absent.yml", "No such file"), ("latin.yml", "not UTF-8")):
        with pytest.raises(ConfigError, match=complaint) as raised:
            read_yaml(tmp_path / name)
        assert name in str(raised.value)
