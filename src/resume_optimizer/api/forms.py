"""Forms of the pages: each carries a token that another site cannot know."""

from __future__ import annotations

import secrets

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from resume_optimizer.api.sessions import Session
from resume_optimizer.failures import Failure

COOKIE = "form"
FIELD = "form_token"


def token_for(request: Request, session: Session | None) -> str:
    """Return the token for a form: the session's, or for somebody without one the cookie's."""
    if session is not None:
        return session.form_token
    return request.cookies.get(COOKIE, "") or secrets.token_urlsafe(32)


def put_cookie(response: Response, token: str, *, secure: bool) -> None:
    """Give a browser without a session the token of its forms."""
    response.set_cookie(COOKIE, token, path="/", httponly=True, secure=secure, samesite="strict")


def check(request: Request, session: Session | None, form: FormData) -> None:
    """Raise Failure `form_expired` unless the form came from one of our pages."""
    expected = session.form_token if session else request.cookies.get(COOKIE, "")
    given = form.get(FIELD)
    if request.headers.get("sec-fetch-site") == "cross-site" or not expected:
        raise Failure("form_expired")
    if not isinstance(given, str) or not secrets.compare_digest(given.encode(), expected.encode()):
        raise Failure("form_expired")
