"""Logging in with an account elsewhere: OpenID Connect, code flow with PKCE, by authlib."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson
from authlib.integrations.starlette_client import OAuth, OAuthError
from joserfc.errors import JoseError
from redis.asyncio import Redis

from resume_optimizer.failures import Failure
from resume_optimizer.settings import OAuthSettings

CALLBACK_PATH = "/oauth/callback"
COOKIE = "oauth"
STATE_SECONDS = 600
TIMEOUT_SECONDS = 5.0
LONGEST_STATE = 128


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at the provider."""

    issuer: str
    subject: str
    email: str
    email_verified: bool


class OAuthLogin:
    """Sends people to the provider and understands what they come back with.

    What belongs to one login (nonce, PKCE verifier) waits in Valkey under its state, bound to
    the browser that began it by a cookie.
    """

    def __init__(self, settings: OAuthSettings, cache: Redis, public_url: str) -> None:
        self._issuer = settings.issuer
        self._cache = cache
        self._redirect_uri = public_url + CALLBACK_PATH
        self._client: Any = OAuth().register(
            "provider",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email",
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_SECONDS,
            },
        )

    async def begin(self) -> tuple[str, str]:
        """Return (where to send the browser, what its cookie must hold).

        Raises Failure `oauth_unavailable`.
        """
        try:
            asked = await self._client.create_authorization_url(self._redirect_uri)
        except (httpx2.HTTPError, ValueError, RuntimeError) as error:
            raise Failure("oauth_unavailable") from error
        browser = secrets.token_urlsafe(32)
        kept = {
            "browser": browser,
            "nonce": asked["nonce"],
            "code_verifier": asked["code_verifier"],
        }
        await self._cache.set(_key(asked["state"]), orjson.dumps(kept), ex=STATE_SECONDS)
        return asked["url"], browser

    async def finish(self, state: str, code: str, browser: str) -> Identity:
        """Return who came back. Raises Failure `oauth_failed`, `oauth_unavailable`."""
        kept = await self._take(state)
        if not code or not secrets.compare_digest(kept["browser"].encode(), browser.encode()):
            raise Failure("oauth_failed")
        try:
            token = await self._client.fetch_access_token(
                redirect_uri=self._redirect_uri,
                code=code,
                code_verifier=kept["code_verifier"],
            )
            claims = await self._client.parse_id_token(
                token,
                nonce=kept["nonce"],
                claims_options={
                    "iss": {"essential": True, "value": self._issuer},
                    "sub": {"essential": True},
                },
            )
        except httpx2.HTTPError as error:
            raise Failure("oauth_unavailable") from error
        except (OAuthError, JoseError, ValueError, KeyError) as error:
            raise Failure("oauth_failed") from error
        if not claims:
            raise Failure("oauth_failed")
        return Identity(
            issuer=self._issuer,
            subject=str(claims["sub"]),
            email=str(claims.get("email", "")),
            email_verified=claims.get("email_verified") is True,
        )

    async def _take(self, state: str) -> dict[str, str]:
        if not 0 < len(state) <= LONGEST_STATE:
            raise Failure("oauth_failed")
        kept = await self._cache.getdel(_key(state))
        if kept is None:
            raise Failure("oauth_failed")
        fields: dict[str, str] = orjson.loads(kept)
        return fields


def _key(state: str) -> str:
    return f"oauth:{state}"
