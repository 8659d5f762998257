"""Generated passwords, made once and kept beside the data they open."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path


def _password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Credentials:
    """One password a server. Never printed, never on a command line."""

    database_password: str = field(default_factory=_password, repr=False)
    cache_password: str = field(default_factory=_password, repr=False)
    objects_access_key: str = field(default_factory=_password, repr=False)
    objects_secret_key: str = field(default_factory=_password, repr=False)
    llm_api_key: str = field(default_factory=_password, repr=False)
    probe_token: str = field(default_factory=_password, repr=False)
    pagerduty_routing_key: str = field(default_factory=_password, repr=False)


def credentials(path: Path) -> Credentials:
    """Return the credentials kept in `path`, made and written there if there are none."""
    if path.exists():
        return Credentials(**json.loads(path.read_text(encoding="utf-8")))
    made = Credentials()
    write_private(path, json.dumps(asdict(made), indent=2))
    return made


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
