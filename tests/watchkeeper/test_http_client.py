from base64 import b64encode
from pathlib import Path

import pytest

from watchkeeper.configuration import Secret
from watchkeeper.errors import ConfigError
from watchkeeper.http_client import (
    Authorization,
    BasicAuth,
    TlsConfig,
    authorization_header,
    open_client,
)


def test_who_asks_is_shown_as_the_file_says() -> None:
    token = Authorization(credentials=Secret("t0ken"))
    assert authorization_header(None, token) == {"Authorization": "Bearer t0ken"}
    name = BasicAuth(username="someone", password=Secret("pass"))
    pair = b64encode(b"someone:pass").decode()
    assert authorization_header(name, None) == {"Authorization": f"Basic {pair}"}
    assert authorization_header(None, None) == {}


def test_a_secret_that_is_rotated_counts_at_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    shown = Authorization(type="Token", credentials_file=str(file))
    for secret in ("first", "second"):
        file.write_text(f"{secret}\n")
        assert authorization_header(None, shown) == {"Authorization": f"Token {secret}"}


def test_a_file_that_is_gone_is_the_callers_to_tell(tmp_path: Path) -> None:
    gone = BasicAuth(username="someone", password_file=str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError):
        authorization_header(gone, None)


def test_a_file_of_tls_that_is_gone_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tls_config: No such file.*; check its files"):
        open_client(TlsConfig(ca_file=str(tmp_path / "gone")), follow_redirects=True)
