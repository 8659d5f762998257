from base64 import b64encode
from pathlib import Path

import pytest

from watchkeeper.errors import ConfigError
from watchkeeper.server.access import Access, Caller, Role, decide_access, is_loopback, read_tokens

READER, ADMIN = "r" * 24, "a" * 24


@pytest.fixture
def tokens(tmp_path: Path) -> dict[bytes, Caller]:
    file = tmp_path / "tokens"
    file.write_text(f"# who may do what\nread {READER}\n\nadmin {ADMIN}\n")
    return read_tokens(file)


def test_a_token_has_its_role(tokens: dict[bytes, Caller]) -> None:
    access = Access(tokens=tokens)
    assert access.role(f"Bearer {READER}") is Role.READ
    assert access.role(f"bearer {ADMIN}") is Role.ADMIN
    assert access.role("Bearer guessed") is Role.NONE
    assert access.role("") is Role.NONE


def test_a_token_may_name_a_tenant(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"write {READER} shop\nwrite {ADMIN}\n")
    access = Access(tokens=read_tokens(file))
    assert access.caller(f"Bearer {READER}") == (Role.WRITE, "shop")
    assert access.caller(f"Bearer {ADMIN}") == (Role.WRITE, "default")


def test_a_browser_gives_the_token_as_a_password(tokens: dict[bytes, Caller]) -> None:
    basic = b64encode(f"anybody:{READER}".encode()).decode()
    access = Access(tokens=tokens)
    assert access.role(f"Basic {basic}") is Role.READ
    assert access.role("Basic %%%") is Role.NONE


def test_without_tokens_whoever_reaches_the_port_may_do_everything() -> None:
    assert Access().role("") is Role.ADMIN


@pytest.mark.parametrize("line", ["read", "owner " + READER, "read short", "read a b"])
def test_a_broken_token_file_is_named_by_line_and_not_quoted(tmp_path: Path, line: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"read {READER}\n{line}\n")
    with pytest.raises(ConfigError, match="line 2") as error:
        read_tokens(file)
    assert READER not in str(error.value)


def test_a_missing_token_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_tokens(tmp_path / "none")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", ""])
def test_everything_else_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_another_address_needs_tokens(tokens: dict[bytes, Caller]) -> None:
    with pytest.raises(ConfigError, match="needs --tokens"):
        decide_access("0.0.0.0", tokens={}, encrypted=True, plain_http_accepted=False)


def test_another_address_needs_tls_or_the_word(tokens: dict[bytes, Caller]) -> None:
    with pytest.raises(ConfigError, match="--accept-plain-http"):
        decide_access("0.0.0.0", tokens=tokens, encrypted=False, plain_http_accepted=False)
    for encrypted, accepted in ((True, False), (False, True)):
        access = decide_access(
            "0.0.0.0", tokens=tokens, encrypted=encrypted, plain_http_accepted=accepted
        )
        assert not access.loopback_only
