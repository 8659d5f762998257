"""The look of the pages: templates, the stylesheet, and what every page is told."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from resume_optimizer.api import forms
from resume_optimizer.api.sessions import Session
from resume_optimizer.failures import Failure
from resume_optimizer.settings import Settings
from resume_optimizer.telemetry import REQUEST_FAILED
from watchkeeper import Telemetry

STATIC = Path(__file__).with_name("static")


class Site:
    """Renders pages. Everything in them is escaped; a name that is missing is an error."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self._secure = settings.secure_cookies
        self._telemetry = telemetry
        self._templates = Environment(
            loader=PackageLoader("resume_optimizer.api"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["oauth"] = settings.oauth is not None
        self._templates.filters["moment"] = _moment

    def page(
        self,
        request: Request,
        template: str,
        session: Session | None,
        *,
        failure: Failure | None = None,
        **values: Any,
    ) -> Response:
        """Return a page. A `failure` gives it its status, and is shown with the trace's id."""
        token = forms.token_for(request, session)
        html = self._templates.get_template(template).render(
            session=session,
            form_token=token,
            failure=failure,
            trace_id=self._telemetry.trace_id(),
            **values,
        )
        response = HTMLResponse(
            html,
            status_code=failure.status if failure else 200,
            headers={"cache-control": "private, no-store", **retry_headers(failure)},
        )
        if session is None:
            forms.put_cookie(response, token, secure=self._secure)
        return response

    def form_again(
        self,
        request: Request,
        template: str,
        session: Session | None,
        failure: Failure | None,
        **values: Any,
    ) -> Response:
        """Return a page with a form, after a failure with what was wrong; that is logged."""
        if failure is not None:
            self._telemetry.log(REQUEST_FAILED, code=failure.code, status_code=failure.status)
        return self.page(request, template, session, failure=failure, **values)


def retry_headers(failure: Failure | None) -> dict[str, str]:
    """Return the header that says when another try makes sense, if one does."""
    if failure is None or not failure.retry_after_seconds:
        return {}
    return {"retry-after": str(math.ceil(failure.retry_after_seconds))}


def _moment(time: datetime) -> str:
    return f"{time:%d %b %Y, %H:%M} UTC"
