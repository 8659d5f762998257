"""Who calls: found by the session, counted, and held to the limits of their kind of user."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from resume_optimizer.api.sessions import Session, session_id
from resume_optimizer.api.state import Api, api_of
from resume_optimizer.failures import Failure
from watchkeeper.conventions import users

ANONYMOUS = "anonymous"
FORM_TOKEN_HEADER = "form-token"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls. `address` is where from; `bearer`: not by a cookie."""

    api: Api
    session: Session | None
    address: str
    bearer: bool

    @property
    def user_type(self) -> str:
        """The kind of user: anonymous, free, premium or probe."""
        return self.session.user_type if self.session else ANONYMOUS

    @property
    def who(self) -> str:
        """By what their calls are counted: their id, or where they call from."""
        return str(self.session.user_id) if self.session else self.address


async def caller(request: Request) -> Caller:
    """Return who calls. Raises Failure `rate_limited`."""
    api = api_of(request)
    id_, bearer = session_id(request)
    session = await api.sessions.find(id_)
    address = request.client.host if request.client else "unknown"
    calling = Caller(api, session, address, bearer)
    labels = {"endpoint": request.scope["route"].path, "user_type": calling.user_type}
    telemetry = api.services.telemetry
    telemetry.counter(users.API_CALLS).inc(**labels)
    try:
        await api.rate_limits.call(calling.user_type, calling.who)
    except Failure:
        telemetry.counter(users.RATE_LIMIT_HITS).inc(**labels)
        raise
    return calling


async def signed_in(request: Request, calling: Annotated[Caller, Depends(caller)]) -> Caller:
    """Return who calls, if they are logged in.

    A browser sends cookies along with whatever another site makes it send; a write that is
    known by its cookie alone must therefore bring the session's form token, in a header here,
    in the form itself on pages. Raises Failure `not_logged_in`, `form_expired`.
    """
    session = calling.session
    if session is None:
        raise Failure("not_logged_in")
    guarded = request.url.path.startswith("/api/") and request.method not in SAFE_METHODS
    if guarded and not calling.bearer:
        given = request.headers.get(FORM_TOKEN_HEADER, "")
        if not secrets.compare_digest(given.encode(), session.form_token.encode()):
            raise Failure("form_expired")
    return calling


AnyCaller = Annotated[Caller, Depends(caller)]
SignedIn = Annotated[Caller, Depends(signed_in)]


def session_of(calling: Caller) -> Session:
    """Return the session of a caller who is logged in. Raises Failure `not_logged_in`."""
    if calling.session is None:
        raise Failure("not_logged_in")
    return calling.session
