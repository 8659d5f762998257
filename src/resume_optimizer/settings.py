"""Settings: every address, secret and limit of the application, from the environment.

A secret may be given as `NAME_FILE`, the path of a file that holds it, in place of `NAME`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

MEGABYTE = 1024 * 1024
LAST_PORT = 65535


class SettingsError(Exception):
    """A variable is missing or cannot be used; the message names it, never a secret value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSettings:
    """Where uploaded and written files are kept: an S3 server."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmSettings:
    """Which language model works. `provider` is offline, openai or anthropic."""

    provider: str
    base_url: str
    api_key: str = field(repr=False)
    model: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthSettings:
    """An OpenID provider that people may log in with."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of everything. Calls are counted by user type.

    A body may take `body_seconds` to arrive, and pause `body_pause_seconds` within.
    """

    upload_bytes: int = 10 * MEGABYTE
    body_bytes: int = MEGABYTE
    body_pause_seconds: float = 20.0
    body_seconds: float = 300.0
    posting_characters: int = 100_000
    queued_jobs: int = 100
    job_seconds: float = 180.0
    job_attempts: int = 5
    worker_jobs: int = 4
    database_connections: int = 10
    probe_kept_hours: float = 24.0
    password_threads: int = 2
    password_waiting: int = 32
    wrong_passwords: int = 10
    wrong_passwords_window_seconds: int = 900
    calls_per_minute: Mapping[str, int] = field(
        default_factory=lambda: {"anonymous": 120, "free": 300, "premium": 1200, "probe": 6000}
    )
    jobs_per_hour: Mapping[str, int] = field(
        default_factory=lambda: {"free": 30, "premium": 300, "probe": 6000}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of the API and of the worker. `oauth` is None when it is not set up.

    `trusted_proxies` are the addresses whose word on where a request comes from is taken.
    Whoever registers with the `probe_token` becomes a user of type probe.
    """

    database_url: str = field(repr=False)
    cache_url: str = field(repr=False)
    objects: ObjectSettings
    llm: LlmSettings
    oauth: OAuthSettings | None = None
    limits: Limits = field(default_factory=Limits)
    session_hours: float = 12.0
    public_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    worker_metrics_address: str = "127.0.0.1:8001"
    posting_allow_private: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    probe_token: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings. Raises SettingsError that names the variable."""
        source = _Source(os.environ if environment is None else environment)
        return cls(
            database_url=source.secret("DATABASE_URL"),
            cache_url=source.secret("CACHE_URL"),
            objects=ObjectSettings(
                endpoint=source.url("OBJECTS_ENDPOINT"),
                bucket=source.text("OBJECTS_BUCKET", "resumes"),
                access_key=source.text("OBJECTS_ACCESS_KEY"),
                secret_key=source.secret("OBJECTS_SECRET_KEY"),
                region=source.text("OBJECTS_REGION", "us-east-1"),
            ),
            llm=_llm(source),
            oauth=_oauth(source),
            limits=_limits(source),
            session_hours=source.number("SESSION_HOURS", 12.0),
            public_url=source.url("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
            host=source.text("HOST", "127.0.0.1"),
            port=source.port("PORT", 8000),
            worker_metrics_address=source.text("WORKER_METRICS_ADDRESS", "127.0.0.1:8001"),
            posting_allow_private=source.items("POSTING_ALLOW_PRIVATE"),
            trusted_proxies=source.items("FORWARDED_ALLOW_IPS"),
            probe_token=source.secret("PROBE_TOKEN", ""),
        )

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies may travel over TLS only: yes, unless the public URL is plain HTTP."""
        return self.public_url.startswith("https:")


def _llm(source: _Source) -> LlmSettings:
    provider = source.text("LLM_PROVIDER", "offline")
    if provider not in ("offline", "openai", "anthropic"):
        raise SettingsError(
            f"LLM_PROVIDER: {provider!r} is not known; use offline, openai or anthropic"
        )
    return LlmSettings(
        provider=provider,
        base_url=source.url("LLM_BASE_URL", ""),
        api_key=source.secret("LLM_API_KEY", "" if provider == "offline" else None),
        model=source.text("LLM_MODEL", ""),
        timeout_seconds=source.number("LLM_TIMEOUT_SECONDS", 60.0),
    )


def _oauth(source: _Source) -> OAuthSettings | None:
    if not source.text("OAUTH_ISSUER", ""):
        return None
    return OAuthSettings(
        issuer=source.url("OAUTH_ISSUER").rstrip("/"),
        client_id=source.text("OAUTH_CLIENT_ID"),
        client_secret=source.secret("OAUTH_CLIENT_SECRET"),
    )


def _limits(source: _Source) -> Limits:
    usual = Limits()
    calls = {
        user_type: source.whole(f"CALLS_PER_MINUTE_{user_type.upper()}", usual_calls)
        for user_type, usual_calls in usual.calls_per_minute.items()
    }
    jobs = {
        user_type: source.whole(f"JOBS_PER_HOUR_{user_type.upper()}", usual_jobs)
        for user_type, usual_jobs in usual.jobs_per_hour.items()
    }
    return Limits(
        queued_jobs=source.whole("QUEUED_JOBS_LIMIT", usual.queued_jobs),
        job_seconds=source.number("JOB_TIMEOUT_SECONDS", usual.job_seconds),
        job_attempts=source.whole("JOB_ATTEMPTS", usual.job_attempts),
        worker_jobs=source.whole("WORKER_JOBS", usual.worker_jobs),
        database_connections=source.whole("DATABASE_CONNECTIONS", usual.database_connections),
        probe_kept_hours=source.number("PROBE_KEPT_HOURS", usual.probe_kept_hours),
        wrong_passwords=source.whole("WRONG_PASSWORDS_LIMIT", usual.wrong_passwords),
        calls_per_minute=calls,
        jobs_per_hour=jobs,
    )


class _Source:
    """The environment, read with messages that name the variable."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str | None = None) -> str:
        value = self._environment.get(name, "").strip()
        if value:
            return value
        if default is None:
            raise SettingsError(f"{name}: not set; the application cannot start without it")
        return default

    def secret(self, name: str, default: str | None = None) -> str:
        path = self._environment.get(f"{name}_FILE", "").strip()
        if not path:
            return self.text(name, default)
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{name}_FILE: cannot read {path}: {error.strerror}") from error

    def url(self, name: str, default: str | None = None) -> str:
        value = self.text(name, default)
        if value and (
            urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).netloc
        ):
            raise SettingsError(f"{name}: {value!r} is not an http or https URL")
        return value

    def number(self, name: str, default: float) -> float:
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 < number < float("inf"):
            raise SettingsError(f"{name}: {value!r} is not a positive number")
        return number

    def whole(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isdecimal() or int(value) < 1:
            raise SettingsError(f"{name}: {value!r} is not a whole number of at least 1")
        return int(value)

    def port(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if not value.isdecimal() or int(value) > LAST_PORT:
            raise SettingsError(f"{name}: {value!r} is not a port, 0 to {LAST_PORT}")
        return int(value)

    def items(self, name: str) -> tuple[str, ...]:
        value = self.text(name, "")
        return tuple(item.strip() for item in value.split(",") if item.strip())
