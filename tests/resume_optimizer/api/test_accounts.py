"""Registering, logging in and out by the JSON API."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from resume_optimizer.api import create_app
from resume_optimizer.services import Services
from resume_optimizer.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.servers]

ADA = {"email": "Ada@Example.org", "password": "correct horse battery"}
WRONG = {**ADA, "password": "wrong horse battery"}


async def test_whoever_registers_is_logged_in(api: httpx2.AsyncClient, measured: Any) -> None:
    answer = await api.post("/api/register", json=ADA)

    token = answer.json()["token"]
    me = await api.get("/api/me", headers={"authorization": f"Bearer {token}"})
    assert me.json()["email"] == "ada@example.org"
    assert measured("user_registrations_total") == 1
    assert measured("user_logins_total", method="email") == 1


async def test_an_address_is_registered_once(api: httpx2.AsyncClient) -> None:
    await api.post("/api/register", json=ADA)

    again = await api.post("/api/register", json={**ADA, "email": "ada@example.ORG"})

    assert again.status_code == 409
    assert again.json()["error"]["code"] == "email_taken"


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.org", "a b@c.de", "ada@example"])
async def test_what_is_no_address_is_refused(api: httpx2.AsyncClient, email: str) -> None:
    answer = await api.post("/api/register", json={**ADA, "email": email})

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "email_invalid")


@pytest.mark.parametrize("password", ["too short", "x" * 257])
async def test_a_weak_password_is_refused(api: httpx2.AsyncClient, password: str) -> None:
    answer = await api.post("/api/register", json={**ADA, "password": password})

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "password_weak")


async def test_a_token_is_worth_nothing_after_logging_out(api: httpx2.AsyncClient) -> None:
    await api.post("/api/register", json=ADA)
    token = (await api.post("/api/login", json=ADA)).json()["token"]
    headers = {"authorization": f"Bearer {token}"}

    assert (await api.post("/api/logout", headers=headers)).status_code == 204

    after = await api.get("/api/me", headers=headers)
    assert (after.status_code, after.json()["error"]["code"]) == (401, "not_logged_in")


async def test_neither_a_wrong_password_nor_a_stranger_is_told_apart(
    api: httpx2.AsyncClient,
) -> None:
    await api.post("/api/register", json=ADA)

    wrong = await api.post("/api/login", json=WRONG)
    stranger = await api.post("/api/login", json={**ADA, "email": "who@example.org"})

    assert wrong.status_code == stranger.status_code == 401
    assert wrong.json()["error"]["code"] == stranger.json()["error"]["code"] == "credentials_wrong"


@pytest.mark.parametrize("email", ["", "a\x00b@example.org", "\ud800@example.org", "x" * 5000])
async def test_an_address_that_cannot_be_is_only_wrong(api: httpx2.AsyncClient, email: str) -> None:
    answer = await api.post("/api/login", content=json.dumps({**ADA, "email": email}))

    assert answer.status_code in (401, 422)
    assert answer.json()["error"]["code"] in ("credentials_wrong", "request_invalid")


async def test_many_wrong_passwords_must_wait(api: httpx2.AsyncClient, measured: Any) -> None:
    await api.post("/api/register", json=ADA)
    for _ in range(10):
        assert (await api.post("/api/login", json=WRONG)).status_code == 401

    answer = await api.post("/api/login", json=ADA)

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_attempts")
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert answer.json()["error"]["trace_id"]
    assert measured("user_login_failures_total", reason="credentials") == 10
    assert measured("user_login_failures_total", reason="rate_limited") == 1


async def test_the_right_password_forgets_the_wrong_ones(api: httpx2.AsyncClient) -> None:
    await api.post("/api/register", json=ADA)
    for _ in range(3):
        for _ in range(5):
            await api.post("/api/login", json=WRONG)
        assert (await api.post("/api/login", json=ADA)).status_code == 200


async def test_the_probe_is_known_by_its_token(newcomer: Any) -> None:
    probe = await newcomer(probe_token="let me in")
    other = await newcomer(probe_token="let me in too")

    assert (await probe.get("/api/me")).json()["user_type"] == "probe"
    assert (await other.get("/api/me")).json()["user_type"] == "free"


async def test_too_many_calls_must_wait_by_type_of_user(
    services: Services, settings: Settings, telemetry: Any, serve: Any, measured: Any
) -> None:
    few = replace(settings.limits, calls_per_minute={"anonymous": 1, "free": 3})
    app = create_app(replace(settings, limits=few), telemetry)
    async with serve(app) as url, httpx2.AsyncClient(base_url=url, timeout=60) as client:
        answers = [await client.get("/api/me") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [401, 429]
    assert answers[1].json()["error"]["code"] == "rate_limited"
    assert 0 < int(answers[1].headers["retry-after"]) <= 60
    limited = {"endpoint": "/api/me", "user_type": "anonymous"}
    assert measured("api_rate_limit_hits_total", **limited) == 1
    assert measured("api_calls_total", **limited) == 2


async def test_a_cookie_alone_does_not_write(api: httpx2.AsyncClient) -> None:
    token = (await api.post("/api/register", json=ADA)).json()["token"]
    api.cookies.set("session", token)
    form_token = (await api.get("/api/me")).json()["form_token"]

    refused = await api.post("/api/logout")
    taken = await api.post("/api/logout", headers={"form-token": form_token})

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "form_expired")
    assert taken.status_code == 204


async def test_valkey_holds_no_session_id_that_can_be_used(
    api: httpx2.AsyncClient, services: Services
) -> None:
    token = (await api.post("/api/register", json=ADA)).json()["token"]

    keys = await services.cache.keys("session:*")

    assert len(keys) == 1
    assert token not in keys[0].decode()
