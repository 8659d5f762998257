"""Accounts: register, log in, log out, by email address and password."""

from __future__ import annotations

import re
import secrets
from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from resume_optimizer.api.caller import AnyCaller, Caller, SignedIn, session_of
from resume_optimizer.api.sessions import Session
from resume_optimizer.api.text import Text
from resume_optimizer.database import users
from resume_optimizer.failures import Failure
from resume_optimizer.telemetry import LOGIN_REFUSED, USER_LOGGED_IN, USER_REGISTERED
from watchkeeper.conventions import users as conventions

EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)+\Z")
LONGEST_EMAIL = 254

router = APIRouter()


class Credentials(BaseModel):
    """An email address and a password."""

    email: Text
    password: Text


async def register(calling: Caller, email: str, password: str, *, probe_token: str = "") -> Session:
    """Make an account and log in to it.

    Raises Failure `email_invalid`, `email_taken`, `password_weak`, `login_busy`.
    """
    api = calling.api
    address = normal_email(email)
    password_hash = await api.passwords.hash(password)
    user = await users.create(
        api.services.database, address, password_hash, _user_type(calling, probe_token)
    )
    api.services.telemetry.counter(conventions.REGISTRATIONS).inc()
    api.services.telemetry.log(USER_REGISTERED, user_id=str(user.id))
    return await begin_session(calling, user, "email")


async def log_in(calling: Caller, email: str, password: str) -> Session:
    """Begin a session. Raises Failure `credentials_wrong`, `too_many_attempts`, `login_busy`."""
    api = calling.api
    address = email.strip().lower()[:LONGEST_EMAIL]
    try:
        await api.rate_limits.password_try(address, calling.address)
    except Failure:
        _refuse(calling, "rate_limited")
        raise
    known = EMAIL.match(address)
    user = await users.by_email(api.services.database, address) if known else None
    right, stronger = await api.passwords.verify(password, user.password_hash if user else None)
    if user is None or not right:
        _refuse(calling, "credentials", str(user.id) if user else "")
        raise Failure("credentials_wrong")
    await api.rate_limits.password_right(address, calling.address)
    if stronger:
        await users.set_password_hash(api.services.database, user.id, stronger)
    return await begin_session(calling, user, "email")


async def begin_session(calling: Caller, user: users.User, method: str) -> Session:
    """Begin a session for somebody who proved who they are, and count it."""
    api = calling.api
    session = await api.sessions.start(user)
    api.services.telemetry.counter(conventions.LOGINS).inc(method=method)
    api.services.telemetry.log(USER_LOGGED_IN, user_id=str(user.id), method=method)
    return session


def normal_email(text: str) -> str:
    """Return an address as it is kept. Raises Failure `email_invalid`."""
    email = text.strip().lower()
    if len(email) > LONGEST_EMAIL or not EMAIL.match(email):
        raise Failure("email_invalid")
    return email


@router.post("/api/register", status_code=201)
async def post_register(
    calling: AnyCaller,
    credentials: Credentials,
    probe_token: Annotated[str, Header()] = "",
) -> Response:
    """Register; the answer holds a bearer token."""
    session = await register(
        calling, credentials.email, credentials.password, probe_token=probe_token
    )
    return _session_answer(calling, session, 201)


@router.post("/api/login")
async def post_login(calling: AnyCaller, credentials: Credentials) -> Response:
    """Log in; the answer holds a bearer token."""
    session = await log_in(calling, credentials.email, credentials.password)
    return _session_answer(calling, session, 200)


@router.post("/api/logout", status_code=204)
async def post_logout(calling: SignedIn) -> Response:
    """Log out: the token is worth nothing afterwards."""
    await calling.api.sessions.end(session_of(calling))
    return Response(status_code=204)


@router.get("/api/me")
async def get_me(calling: SignedIn) -> dict[str, str]:
    """Say who is logged in."""
    session = session_of(calling)
    return {
        "id": str(session.user_id),
        "email": session.email,
        "user_type": session.user_type,
        "form_token": session.form_token,
    }


def _session_answer(calling: Caller, session: Session, status: int) -> Response:
    return JSONResponse(
        {
            "token": session.id,
            "expires_in_seconds": calling.api.sessions.seconds,
            "user": {
                "id": str(session.user_id),
                "email": session.email,
                "user_type": session.user_type,
            },
        },
        status_code=status,
        headers={"cache-control": "no-store"},
    )


def _user_type(calling: Caller, probe_token: str) -> str:
    expected = calling.api.services.settings.probe_token
    if expected and secrets.compare_digest(probe_token.encode(), expected.encode()):
        return "probe"
    return "free"


def _refuse(calling: Caller, reason: str, user_id: str = "") -> None:
    telemetry = calling.api.services.telemetry
    telemetry.counter(conventions.LOGIN_FAILURES).inc(reason=reason)
    telemetry.log(LOGIN_REFUSED, reason=reason, user_id=user_id)
