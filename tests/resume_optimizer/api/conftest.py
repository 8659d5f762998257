"""An OpenID provider of our own, spoken to over a socket as any other."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from resume_optimizer.settings import OAuthSettings

CLIENT = OAuthSettings(issuer="", client_id="optimizer", client_secret="a secret")


class Provider:
    """Logs everybody in at once, as whoever `claims` says."""

    def __init__(self) -> None:
        self.issuer = ""
        self.claims: dict[str, Any] = {
            "sub": "42",
            "email": "ada@example.org",
            "email_verified": True,
        }
        self.signing_key = RSAKey.generate_key(2048, parameters={"kid": "one"})
        self._asked: dict[str, dict[str, str]] = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )
        self._published = self.signing_key

    async def _metadata(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._published.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        code = f"code-{len(self._asked)}"
        self._asked[code] = query
        back = urlencode({"code": code, "state": query["state"]})
        return RedirectResponse(f"{query['redirect_uri']}?{back}", status_code=302)

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        asked = self._asked.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": asked["client_id"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 60,
            **self.claims,
        }
        header = {"alg": "RS256", "kid": "one"}
        return JSONResponse(
            {
                "access_token": "unused",
                "token_type": "Bearer",
                "id_token": jwt.encode(header, claims, self.signing_key),
            }
        )


@pytest.fixture
async def provider(serve: Any) -> AsyncIterator[Provider]:
    """The provider, running."""
    provider = Provider()
    async with serve(provider.app) as url:
        provider.issuer = url
        yield provider
