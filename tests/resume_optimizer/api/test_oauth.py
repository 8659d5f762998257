"""Logging in with an account elsewhere, against a provider that speaks OpenID over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey

from resume_optimizer.api import create_app
from resume_optimizer.services import Services
from resume_optimizer.settings import OAuthSettings, Settings

pytestmark = [pytest.mark.anyio, pytest.mark.servers]


@pytest.fixture
async def browser(
    services: Services, settings: Settings, telemetry: Any, provider: Any, serve: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser at an API that knows the provider."""
    oauth = OAuthSettings(issuer=provider.issuer, client_id="optimizer", client_secret="secret")
    app = create_app(replace(settings, oauth=oauth, public_url="http://app.test"), telemetry)
    async with (
        serve(app) as url,
        httpx2.AsyncClient(base_url=url, headers={"accept": "text/html"}, timeout=60) as client,
    ):
        yield client


async def comes_back(browser: httpx2.AsyncClient) -> httpx2.Response:
    """Go to the provider and return the answer to coming back from it."""
    leaving = await browser.get("/oauth/login")
    assert leaving.status_code == 303, leaving.text
    async with httpx2.AsyncClient(timeout=60) as outside:
        returning = await outside.get(leaving.headers["location"])
    return await browser.get(returning.headers["location"].removeprefix("http://app.test"))


async def test_somebody_new_gets_an_account_and_is_logged_in(
    browser: httpx2.AsyncClient, measured: Any
) -> None:
    answer = await comes_back(browser)

    assert answer.status_code == 303
    assert "ada@example.org" in (await browser.get("/")).text
    assert measured("user_logins_total", method="oauth") == 1
    assert measured("user_registrations_total") == 1


async def test_somebody_known_is_the_same_person_again(
    browser: httpx2.AsyncClient, provider: Any, services: Services
) -> None:
    await comes_back(browser)
    provider.claims["email"] = "another@example.org"

    assert (await comes_back(browser)).status_code == 303
    assert await services.database.value("SELECT count(*) FROM users") == 1


async def test_an_account_with_the_same_address_is_not_taken_over(
    browser: httpx2.AsyncClient, services: Services
) -> None:
    await services.database.row("INSERT INTO users (email) VALUES ('ada@example.org')")

    answer = await comes_back(browser)

    assert answer.status_code == 409
    assert "email_taken" in answer.text


async def test_an_address_that_nobody_confirmed_is_refused(
    browser: httpx2.AsyncClient, provider: Any, measured: Any
) -> None:
    provider.claims["email_verified"] = False

    answer = await comes_back(browser)

    assert answer.status_code == 401
    assert "oauth_failed" in answer.text
    assert measured("user_login_failures_total", reason="oauth") == 1


@pytest.mark.parametrize("claim", ["iss", "aud", "nonce"])
async def test_a_token_for_somebody_else_is_refused(
    browser: httpx2.AsyncClient, provider: Any, claim: str
) -> None:
    provider.claims[claim] = "http://evil.test"

    assert (await comes_back(browser)).status_code == 401


async def test_a_token_with_a_foreign_signature_is_refused(
    browser: httpx2.AsyncClient, provider: Any
) -> None:
    provider.signing_key = RSAKey.generate_key(2048, parameters={"kid": "one"})

    assert (await comes_back(browser)).status_code == 401


async def test_a_login_that_another_browser_began_is_refused(browser: httpx2.AsyncClient) -> None:
    leaving = await browser.get("/oauth/login")
    browser.cookies.clear()
    async with httpx2.AsyncClient(timeout=60) as outside:
        returning = await outside.get(leaving.headers["location"])

    back = returning.headers["location"].removeprefix("http://app.test")
    assert (await browser.get(back)).status_code == 401


async def test_a_provider_that_is_gone_is_said_to_be_gone(
    services: Services, settings: Settings, telemetry: Any, serve: Any
) -> None:
    oauth = OAuthSettings(issuer="http://127.0.0.1:1", client_id="a", client_secret="b")
    async with (
        serve(create_app(replace(settings, oauth=oauth), telemetry)) as url,
        httpx2.AsyncClient(base_url=url, timeout=60) as client,
    ):
        answer = await client.get("/oauth/login")

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "oauth_unavailable"


async def test_without_configuration_there_is_no_such_login(api: httpx2.AsyncClient) -> None:
    assert (await api.get("/oauth/login")).json()["error"]["code"] == "oauth_disabled"
