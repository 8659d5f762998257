"""The pages by which people come in and leave: register, log in, log out, OAuth."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from resume_optimizer.api import accounts, forms
from resume_optimizer.api.caller import AnyCaller, Caller
from resume_optimizer.api.oauth import CALLBACK_PATH, COOKIE, STATE_SECONDS, Identity, OAuthLogin
from resume_optimizer.api.sessions import Session
from resume_optimizer.api.site import Site
from resume_optimizer.database import users
from resume_optimizer.failures import Failure
from resume_optimizer.telemetry import LOGIN_REFUSED, USER_REGISTERED
from watchkeeper.conventions import users as conventions

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def login_page(request: Request, calling: AnyCaller) -> Response:
    """Show the form to log in."""
    return _form(request, calling, "login.html")


@router.get("/register")
async def register_page(request: Request, calling: AnyCaller) -> Response:
    """Show the form to register."""
    return _form(request, calling, "register.html")


@router.post("/login")
async def log_in(request: Request, calling: AnyCaller) -> Response:
    """Log in and go to the form for a resume."""
    async with forms.read_own(request, calling.session) as form:
        email = forms.text(form, "email")
        try:
            session = await accounts.log_in(calling, email, _password(form))
        except Failure as failure:
            return _form(request, calling, "login.html", failure, email)
    return _enter(calling, session)


@router.post("/register")
async def register(request: Request, calling: AnyCaller) -> Response:
    """Make an account and go to the form for a resume."""
    async with forms.read_own(request, calling.session) as form:
        email = forms.text(form, "email")
        try:
            session = await accounts.register(calling, email, _password(form))
        except Failure as failure:
            return _form(request, calling, "register.html", failure, email)
    return _enter(calling, session)


@router.post("/logout")
async def log_out(request: Request, calling: AnyCaller) -> Response:
    """End the session and go back to the start."""
    async with forms.read_own(request, calling.session):
        pass
    if calling.session is not None:
        await calling.api.sessions.end(calling.session)
    response = RedirectResponse("/", status_code=303)
    calling.api.sessions.drop_cookie(response)
    return response


@router.get("/oauth/login")
async def oauth_begin(calling: AnyCaller) -> Response:
    """Send the browser to the provider."""
    url, browser = await _oauth(calling).begin()
    response = RedirectResponse(url, status_code=303)
    response.set_cookie(
        COOKIE,
        browser,
        max_age=STATE_SECONDS,
        path=CALLBACK_PATH,
        httponly=True,
        secure=calling.api.services.settings.secure_cookies,
        samesite="lax",
    )
    return response


@router.get(CALLBACK_PATH)
async def oauth_finish(request: Request, calling: AnyCaller) -> Response:
    """Take the browser back from the provider and begin a session."""
    query = request.query_params
    telemetry = calling.api.services.telemetry
    try:
        identity = await _oauth(calling).finish(
            query.get("state", ""), query.get("code", ""), request.cookies.get(COOKIE, "")
        )
        user = await _user(calling, identity)
    except Failure as failure:
        if failure.status < 500:
            telemetry.counter(conventions.LOGIN_FAILURES).inc(reason="oauth")
            telemetry.log(LOGIN_REFUSED, reason="oauth", user_id="")
        raise
    session = await accounts.begin_session(calling, user, "oauth")
    response = _enter(calling, session)
    response.delete_cookie(COOKIE, path=CALLBACK_PATH)
    return response


async def _user(calling: Caller, identity: Identity) -> users.User:
    services = calling.api.services
    user = await users.by_identity(services.database, identity.issuer, identity.subject)
    if user is not None:
        return user
    if not identity.email_verified:
        raise Failure("oauth_failed", "The other service has not confirmed your email address.")
    user = await users.create_with_identity(
        services.database,
        accounts.normal_email(identity.email),
        identity.issuer,
        identity.subject,
    )
    services.telemetry.counter(conventions.REGISTRATIONS).inc()
    services.telemetry.log(USER_REGISTERED, user_id=str(user.id))
    return user


def _oauth(calling: Caller) -> OAuthLogin:
    if calling.api.oauth is None:
        raise Failure("oauth_disabled")
    return calling.api.oauth


def _enter(calling: Caller, session: Session) -> Response:
    response = RedirectResponse("/", status_code=303)
    calling.api.sessions.put_cookie(response, session)
    response.delete_cookie(forms.COOKIE, path="/")
    return response


def _form(
    request: Request,
    calling: Caller,
    template: str,
    failure: Failure | None = None,
    email: str = "",
) -> Response:
    site: Site = request.app.state.site
    return site.form_again(request, template, calling.session, failure, email=email)


def _password(form: FormData) -> str:
    value = form.get("password", "")  # with the space around it: that may be meant
    return value if isinstance(value, str) else ""
