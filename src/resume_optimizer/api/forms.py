"""Forms of the pages: each carries a token that another site cannot know."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from resume_optimizer.api.sessions import Session
from resume_optimizer.api.text import whole
from resume_optimizer.failures import Failure

COOKIE = "form"
FIELD = "form_token"
MOST_FIELDS = 10


def token_for(request: Request, session: Session | None) -> str:
    """Return the token for a form: the session's, or for somebody without one the cookie's."""
    if session is not None:
        return session.form_token
    return request.cookies.get(COOKIE, "") or secrets.token_urlsafe(32)


def put_cookie(response: Response, token: str, *, secure: bool) -> None:
    """Give a browser without a session the token of its forms."""
    response.set_cookie(COOKIE, token, path="/", httponly=True, secure=secure, samesite="strict")


@asynccontextmanager
async def read(request: Request, *, files: int = 0) -> AsyncIterator[FormData]:
    """Yield the form that a request brings. Raises Failure `request_invalid`."""
    try:
        form = await request.form(max_files=files, max_fields=MOST_FIELDS)
        for value in form.values():
            whole(value if isinstance(value, str) else value.filename or "")
    except ValueError as error:  # of a charset that is none too: UnicodeError is one
        raise Failure("request_invalid") from error
    try:
        yield form
    finally:
        await form.close()


@asynccontextmanager
async def read_own(
    request: Request, session: Session | None, *, files: int = 0
) -> AsyncIterator[FormData]:
    """Yield a form that came from one of our pages.

    Raises Failure `form_expired` for any other, and `request_invalid`.
    """
    async with read(request, files=files) as form:
        _check(request, session, form)
        yield form


def text(form: FormData | None, name: str) -> str:
    """Return a field's text without the space around it, '' when there is none."""
    value = form.get(name, "") if form is not None else ""
    return value.strip() if isinstance(value, str) else ""


def _check(request: Request, session: Session | None, form: FormData) -> None:
    expected = session.form_token if session else request.cookies.get(COOKIE, "")
    given = form.get(FIELD)
    if request.headers.get("sec-fetch-site") == "cross-site" or not expected:
        raise Failure("form_expired")
    if not isinstance(given, str) or not secrets.compare_digest(given.encode(), expected.encode()):
        raise Failure("form_expired")
