"""Sessions: an opaque id in a cookie or a bearer header, all the rest in Valkey.

Valkey holds only a hash of the id: whoever reads Valkey cannot use what is found there.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import Response

from resume_optimizer.database.users import User

COOKIE = "session"
ID_BYTES = 32
LONGEST_ID = 128


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in. `form_token` is what their forms must send back."""

    id: str = field(repr=False)
    user_id: UUID
    email: str
    user_type: str
    form_token: str = field(repr=False)


class Sessions:
    """Sessions in Valkey. Every method raises redis' errors when it is down."""

    def __init__(self, cache: Redis, *, hours: float, secure: bool) -> None:
        self._cache = cache
        self._seconds = int(hours * 3600)
        self._secure = secure

    @property
    def seconds(self) -> int:
        """How long a session lives."""
        return self._seconds

    async def start(self, user: User) -> Session:
        """Begin a session with a new id."""
        session = Session(
            id=secrets.token_urlsafe(ID_BYTES),
            user_id=user.id,
            email=user.email,
            user_type=user.user_type,
            form_token=secrets.token_urlsafe(ID_BYTES),
        )
        kept = {
            "user_id": str(session.user_id),
            "email": session.email,
            "user_type": session.user_type,
            "form_token": session.form_token,
        }
        await self._cache.set(_key(session.id), orjson.dumps(kept), ex=self._seconds)
        return session

    async def find(self, session_id: str) -> Session | None:
        """Return the session with this id, or None."""
        if not session_id or len(session_id) > LONGEST_ID:
            return None
        kept = await self._cache.get(_key(session_id))
        if kept is None:
            return None
        fields = orjson.loads(kept)
        return Session(
            id=session_id,
            user_id=UUID(fields["user_id"]),
            email=fields["email"],
            user_type=fields["user_type"],
            form_token=fields["form_token"],
        )

    async def end(self, session: Session) -> None:
        """Forget a session."""
        await self._cache.delete(_key(session.id))

    def put_cookie(self, response: Response, session: Session) -> None:
        """Give the browser the session's id."""
        response.set_cookie(
            COOKIE,
            session.id,
            max_age=self._seconds,
            path="/",
            httponly=True,
            secure=self._secure,
            samesite="lax",
        )

    def drop_cookie(self, response: Response) -> None:
        """Take the session's id from the browser."""
        response.delete_cookie(COOKIE, path="/", httponly=True, secure=self._secure, samesite="lax")


def session_id(request: Request) -> tuple[str, bool]:
    """Return (the id that a request brings or '', whether it came as a bearer)."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return bearer.strip(), True
    return request.cookies.get(COOKIE, ""), False


def _key(session_id: str) -> str:
    return "session:" + hashlib.sha256(session_id.encode()).hexdigest()
