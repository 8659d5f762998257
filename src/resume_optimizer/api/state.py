"""What a request can reach: the services, and what the API alone needs."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from resume_optimizer.api.oauth import OAuthLogin
from resume_optimizer.api.passwords import Passwords
from resume_optimizer.api.rate_limit import RateLimits
from resume_optimizer.api.sessions import Sessions
from resume_optimizer.dependencies import Dependencies
from resume_optimizer.services import Services


@dataclass(frozen=True, slots=True)
class Api:
    """The parts of a running API. `oauth` is None when it is not set up."""

    services: Services
    passwords: Passwords
    sessions: Sessions
    rate_limits: RateLimits
    dependencies: Dependencies
    oauth: OAuthLogin | None

    @classmethod
    def of(cls, services: Services) -> Api:
        """Return the parts for these services."""
        settings = services.settings
        limits = settings.limits
        return cls(
            services=services,
            passwords=Passwords(threads=limits.password_threads, waiting=limits.password_waiting),
            sessions=Sessions(
                services.cache, hours=settings.session_hours, secure=settings.secure_cookies
            ),
            rate_limits=RateLimits(
                services.cache,
                calls_per_minute=limits.calls_per_minute,
                jobs_per_hour=limits.jobs_per_hour,
                wrong_passwords=limits.wrong_passwords,
                window_seconds=limits.wrong_passwords_window_seconds,
            ),
            dependencies=Dependencies(services),
            oauth=OAuthLogin(settings.oauth, services.cache, settings.public_url)
            if settings.oauth
            else None,
        )


def api_of(request: Request) -> Api:
    """Return the API that answers this request."""
    api: Api = request.app.state.api
    return api
